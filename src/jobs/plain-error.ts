import { ApplicationFailure } from '@temporalio/common';
import { isErrorType, ReembedError } from '../contract/errors.ts';

/** An error as it crosses from a thread or a process, which copy no classes. */
export interface PlainError {
  name: string;
  message: string;
  stack?: string;
  retryable: boolean;
  /** One of ours, rather than the handler's. */
  own: boolean;
}

export function toPlain(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), retryable: true, own: false };
  const { message, stack } = error;
  if (error instanceof ApplicationFailure) {
    return { name: error.type ?? 'Error', message, stack, retryable: !error.nonRetryable, own: false };
  }
  const retryable = !('retryable' in error && error.retryable === false);
  return { name: error.name, message, stack, retryable, own: error instanceof ReembedError };
}

export function fromPlain({ name, message, stack, retryable, own }: PlainError): Error {
  if (own && isErrorType(name)) return new ReembedError(name, message);
  return Object.assign(new Error(message), { name, stack, retryable });
}
