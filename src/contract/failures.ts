/** Types of the failures with which workflows end; each carries the tracker in its details. */
export const TASK_FAILURE = { failed: 'TaskFailed', exhausted: 'TaskExhausted', refused: 'TaskRefused' } as const;

/** Errors that mean a rule forbids the task as it is, rather than that something went wrong. */
export const REFUSALS: readonly string[] = [
  'IndexLocked',
  'IndexAliased',
  'IndexDeleting',
  'IndexDeleted',
  'ReindexConflict',
];

/** Time before attempt n + 1, in seconds: doubled each time. */
export function backOffSeconds(attempts: number): number {
  return Math.min(600, 10 * 2 ** (attempts - 1));
}

/** Steering calls kept in a tracker. */
export const STEERING_KEPT = 20;

/** Errors kept in a tracker, and characters of one's message and stack. */
export const ERROR_BOUNDS = { count: 20, message: 2_000, stack: 4_000 } as const;

/** Detail of a job that was ignored for another one. */
export const standsForText = (taskId: string) => `the job ${taskId} stands for it`;
