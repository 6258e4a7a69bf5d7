import { ApplicationFailure } from '@temporalio/common';
import { causesOf, plainMessage } from '../contract/causes.ts';
import { ERROR_BOUNDS, HANDLER_MARK } from '../contract/failures.ts';
import { isNonRetryable } from './errors.ts';

/** Calls a handler and wraps what it throws in a marked failure, so that its name has no special meaning. */
export async function callHandler<T>(run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw handlerFailure(error);
  }
}

/**
 * Converts what a handler threw to the failure of its attempt: the error's name is the type, and the causes are kept.
 * Only `NonRetryableError` and Temporal's own non-retryable failure end the attempts.
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

/** Builds the failure from its parts; also for errors from a thread or process, where classes are not preserved. */
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

/** Returns true for a failure created by `handlerFailure`. */
export function isHandlerFailure(error: unknown): error is ApplicationFailure {
  return error instanceof ApplicationFailure && error.details?.[0] === HANDLER_MARK;
}

function typeOf(error: unknown): string {
  const name = error instanceof ApplicationFailure ? error.type : error instanceof Error ? error.name : undefined;
  return typeof name === 'string' && name !== '' ? name.slice(0, ERROR_BOUNDS.type) : 'Error';
}
