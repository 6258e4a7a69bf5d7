import type { TaskStatus } from './status.ts';
import type { TaskType } from './tasks.ts';

/**
 * What workflows tell their worker about tasks, as they happen and not when a history is replayed. Nothing comes back,
 * so histories know nothing of it.
 */
// A type and not an interface: the SDK wants what has an index.
export type TaskEvents = {
  attempted(event: { type: TaskType }): void;
  attemptFailed(event: { type: TaskType; error: string }): void;
  /** `seconds` from the creation of the task. */
  ended(event: { type: TaskType; status: TaskStatus; seconds: number }): void;
};
