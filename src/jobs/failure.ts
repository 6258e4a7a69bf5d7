import { ApplicationFailure } from '@temporalio/common';
import { causesOf, plainMessage } from '../contract/causes.ts';
import { ERROR_BOUNDS, HANDLER_MARK } from '../contract/failures.ts';
import { isNonRetryable } from './errors.ts';

/** Calls a handler; what it throws comes out as a marked failure, which no name can make more than that. */
export async function callHandler<T>(run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw handlerFailure(error);
  }
}

/**
 * What a handler threw, as the failure of its attempt: of the type that its name says, with its causes. Only
 * `NonRetryableError` and Temporal's own non-retryable failure end the attempts.
 */
export function handlerFailure(error: unknown): ApplicationFailure {
  return handlerFailureOf({
    type: typeOf(error),
    message: plainMessage(error),
    stack: error instanceof Error ? error.stack : undefined,
    nonRetryable: isNonRetryable(error) || (error instanceof ApplicationFailure && error.nonRetryable === true),
    causes: causesOf(error),
  });
}

export interface HandlerFailureFacts {
  type: string;
  message: string;
  stack?: string | undefined;
  nonRetryable: boolean;
  causes: readonly { type: string; message: string }[];
}

/** Also of what crossed from a thread or a process, which copy no classes. */
export function handlerFailureOf({ type, message, stack, nonRetryable, causes }: HandlerFailureFacts) {
  const cause = causes.reduceRight<ApplicationFailure | undefined>((inner, { type, message }) => {
    const outer = ApplicationFailure.create({ type, message, cause: inner });
    outer.stack = `${type}: ${message}`;
    return outer;
  }, undefined);
  const failure = ApplicationFailure.create({ type, message, nonRetryable, details: [HANDLER_MARK], cause });
  failure.stack = stack?.slice(0, ERROR_BOUNDS.stack);
  return failure;
}

/** True of what `handlerFailure` has made. */
export function isHandlerFailure(error: unknown): error is ApplicationFailure {
  return error instanceof ApplicationFailure && error.details?.[0] === HANDLER_MARK;
}

function typeOf(error: unknown): string {
  const name = error instanceof ApplicationFailure ? error.type : error instanceof Error ? error.name : undefined;
  return typeof name === 'string' && name !== '' ? name.slice(0, ERROR_BOUNDS.type) : 'Error';
}
