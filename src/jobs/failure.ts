import { ApplicationFailure } from '@temporalio/common';
import { ReembedError } from '../contract/errors.ts';
import { ERROR_BOUNDS } from '../contract/failures.ts';

/**
 * What a handler threw, as the failure of its attempt: of the type that its name says, not to be tried again where it
 * says so with `retryable: false`.
 */
export function handlerFailure(error: unknown): unknown {
  if (error instanceof ApplicationFailure || error instanceof ReembedError) return error;
  if (!(error instanceof Error)) {
    return ApplicationFailure.create({ type: 'Error', message: clipped(String(error)) });
  }
  const failure = ApplicationFailure.create({
    type: error.name,
    message: clipped(error.message),
    nonRetryable: 'retryable' in error && error.retryable === false,
  });
  failure.stack = error.stack?.slice(0, ERROR_BOUNDS.stack);
  return failure;
}

function clipped(message: string): string {
  return message.slice(0, ERROR_BOUNDS.message);
}
