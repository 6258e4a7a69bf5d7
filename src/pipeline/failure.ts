import { isErrorType, messageOf, ReembedError } from '../contract/errors.ts';
import { LIMITS } from '../contract/limits.ts';
import type { FailedItem, Stage } from '../contract/tasks.ts';

/** Why an object failed, without its id. */
export type Failure = Omit<FailedItem, 'objectId'>;

/** Converts an error to the failure of one object. */
export function failureFrom(stage: Stage, error: unknown): Failure {
  const reason = error instanceof ReembedError && isErrorType(error.type) ? error.type : 'Internal';
  return { stage, reason, detail: messageOf(error).slice(0, LIMITS.detailChars) };
}
