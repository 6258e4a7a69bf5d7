/** Failure types with which workflows end; each carries the tracker in its details. */
export const TASK_FAILURE = { failed: 'TaskFailed', exhausted: 'TaskExhausted', refused: 'TaskRefused' } as const;

/** Errors that mean that a rule currently forbids the task, rather than that something went wrong. */
export const REFUSALS: readonly string[] = [
  'IndexLocked',
  'IndexAliased',
  'IndexDeleting',
  'IndexDeleted',
  'ReindexConflict',
];

/** Returns the wait before attempt n + 1, in seconds; it doubles each time. */
export function backOffSeconds(attempts: number): number {
  return Math.min(600, 10 * 2 ** (attempts - 1));
}

/** Maximum steering calls in a tracker. */
export const STEERING_KEPT = 20;

/** Precedes the reason of a steering call that had no effect. */
export const IGNORED_CALL = 'ignored: ';

/** Maximum errors in a tracker, and maximum characters of the type, message and stack of each. */
export const ERROR_BOUNDS = {
  ...{ count: 20, type: 200, message: 2_000, stack: 4_000 },
  /** Limits of the causes. */
  ...{ causes: 5, causeMessage: 500 },
} as const;

/**
 * First detail of a failure that a job's own function threw: whatever its name, it only means to the workflow
 * that the attempt failed.
 */
export const HANDLER_MARK = 'thrown by the function of the job';

/** Detail of a job that was ignored as a duplicate. */
export const duplicateText = (taskId: string) => `duplicate of job ${taskId}`;
