/**
 * The statuses of a task and the moves between them, as data: workflow code checks its moves against this table, and
 * the documentation shows it.
 */

interface StatusFacts {
  /** Its meaning, for people. */
  means: string;
  /** The statuses that may follow; for an ended task, those of its next run. */
  next: readonly string[];
}

export const STATUSES = {
  pending: {
    means: 'accepted; no worker has started it yet',
    next: ['processing'],
  },
  processing: {
    means: 'an attempt is running',
    next: ['done', 'waiting', 'paused', 'failed', 'exhausted', 'canceled', 'refused', 'ignored'],
  },
  waiting: {
    means: 'blocked by something, or not due yet; `detail` says by what and for how long',
    next: ['processing', 'paused', 'failed', 'exhausted', 'canceled', 'refused', 'ignored'],
  },
  paused: {
    means: 'paused by someone until it is resumed; then it returns to its previous status',
    next: ['processing', 'waiting', 'failed', 'canceled', 'ignored'],
  },
  failed: {
    means: 'the last attempt failed; another one follows after a back-off, unless the error is not retryable',
    next: ['processing', 'paused', 'canceled', 'ignored'],
  },
  exhausted: {
    means: 'every attempt failed; it runs again only with `force`',
    next: ['processing'],
  },
  done: {
    means: 'completed; individual items may be on the failed list',
    next: ['processing'],
  },
  canceled: {
    means: 'stopped by someone; it writes nothing more, and its locks are released',
    next: ['processing'],
  },
  refused: {
    means: 'a rule currently forbids it, for instance a conflict with `onConflict: refuse`',
    next: ['processing'],
  },
  ignored: {
    means: 'set aside by someone; it runs again only with `force`',
    next: ['processing'],
  },
} as const satisfies Record<string, StatusFacts>;

export type TaskStatus = keyof typeof STATUSES;

export const TASK_STATUSES = Object.keys(STATUSES) as [TaskStatus, ...TaskStatus[]];

/** Returns true if another attempt of a failed task follows; `ended`: whether the task has ended, if that is known. */
export function isRetrying(status: TaskStatus, ended: boolean | undefined): boolean {
  return status === 'failed' && ended === false;
}

export function mayMove(from: TaskStatus, to: TaskStatus): boolean {
  const { next }: { next: readonly TaskStatus[] } = STATUSES[from];
  return next.includes(to);
}
