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

/** Errors kept in a tracker, and characters of one's type, message and stack. */
export const ERROR_BOUNDS = {
  ...{ count: 20, type: 200, message: 2_000, stack: 4_000 },
  /** Of what caused it. */
  ...{ causes: 5, causeMessage: 500 },
} as const;

/**
 * First detail of a failure that a job's own function threw: whatever it is named, it means nothing to the workflow but
 * that the attempt failed.
 */
export const HANDLER_MARK = 'thrown by the function of the job';

/** Detail of a job that was ignored for another one. */
export const standsForText = (taskId: string) => `the job ${taskId} stands for it`;
