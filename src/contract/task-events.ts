import type { TaskStatus } from './status.ts';
import type { TaskType } from './task-types.ts';

/**
 * Events that workflows send to their worker as they happen, but not during replay. They return nothing,
 * so histories do not contain them.
 */
// A type, not an interface: the SDK requires an index signature.
export type TaskEvents = {
  attempted(event: { type: TaskType }): void;
  attemptFailed(event: { type: TaskType; error: string }): void;
  /** `seconds` since the creation of the task. */
  ended(event: { type: TaskType; status: TaskStatus; seconds: number }): void;
};
