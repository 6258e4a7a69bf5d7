import { isErrorType, messageOf, ReembedError } from '../contract/errors.ts';
import { LIMITS } from '../contract/limits.ts';
import type { FailedItem, Stage } from '../contract/tasks.ts';

/** Why an object failed, before it is known which. */
export type Failure = Omit<FailedItem, 'objectId'>;

/** A failure of one object from the error that it threw. */
export function failureFrom(stage: Stage, error: unknown): Failure {
  const reason = error instanceof ReembedError && isErrorType(error.type) ? error.type : 'Internal';
  return { stage, reason, detail: messageOf(error).slice(0, LIMITS.detailChars) };
}
