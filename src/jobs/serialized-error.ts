import { causesOf } from '../contract/causes.ts';
import { isErrorType, messageOf, ReembedError } from '../contract/errors.ts';
import { type HandlerFailureFacts, handlerFailureOf, isHandlerFailure } from './failure.ts';

/** An error in the form that is sent from a thread or process, where classes are not preserved. */
export type PlainError =
  | ({ by: 'handler' } & HandlerFailureFacts)
  /** A `ReembedError`, by type. */
  | { by: 'reembed'; type: string; message: string }
  | { by: 'other'; message: string; stack?: string | undefined };

export function toPlain(error: unknown): PlainError {
  if (isHandlerFailure(error)) {
    const { type, message, stack, nonRetryable } = error;
    const facts = { type: type ?? 'Error', message, stack, nonRetryable: nonRetryable === true };
    return { by: 'handler', ...facts, causes: causesOf(error) };
  }
  if (error instanceof ReembedError) return { by: 'reembed', type: error.type, message: error.message };
  return { by: 'other', message: messageOf(error), stack: error instanceof Error ? error.stack : undefined };
}

export function fromPlain(plain: PlainError): Error {
  if (plain.by === 'handler') return handlerFailureOf(plain);
  if (plain.by === 'reembed' && isErrorType(plain.type)) return new ReembedError(plain.type, plain.message);
  return Object.assign(new Error(plain.message), 'stack' in plain && { stack: plain.stack });
}
