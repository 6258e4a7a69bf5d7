/**
 * The statuses of a task and the moves between them, as data: workflow code checks its moves against this table, and the
 * documentation shows it.
 */

interface StatusFacts {
  /** What it means, for people. */
  means: string;
  /** The statuses that may follow; after an ended task's, those of its next run. */
  next: readonly string[];
}

export const STATUSES = {
  pending: {
    means: 'accepted; no worker has taken it up yet',
    next: ['processing'],
  },
  processing: {
    means: 'an attempt runs',
    next: ['done', 'waiting', 'paused', 'failed', 'exhausted', 'canceled', 'refused', 'ignored'],
  },
  waiting: {
    means: 'for something that is in the way, or for its time; `detail` says for what and how long',
    next: ['processing', 'paused', 'failed', 'exhausted', 'canceled', 'refused', 'ignored'],
  },
  paused: {
    means: 'held back by someone until it is resumed; then it is at what it was at before',
    next: ['processing', 'waiting', 'failed', 'canceled', 'ignored'],
  },
  failed: {
    means: 'the last attempt failed; another one follows after a back-off, unless the error cannot be retried',
    next: ['processing', 'paused', 'canceled', 'ignored'],
  },
  exhausted: {
    means: 'every attempt failed; it runs again only with `force`',
    next: ['processing'],
  },
  done: {
    means: 'all was done; single items may be on the failed list',
    next: ['processing'],
  },
  canceled: {
    means: 'stopped by someone; nothing is written for it any more, and its locks are released',
    next: ['processing'],
  },
  refused: {
    means: 'a rule forbids it as things are, for instance a conflict with `onConflict: refuse`',
    next: ['processing'],
  },
  ignored: {
    means: 'set aside by someone; it runs again only with `force`',
    next: ['processing'],
  },
} as const satisfies Record<string, StatusFacts>;

export type TaskStatus = keyof typeof STATUSES;

export const TASK_STATUSES = Object.keys(STATUSES) as [TaskStatus, ...TaskStatus[]];

export function mayMove(from: TaskStatus, to: TaskStatus): boolean {
  const { next }: { next: readonly TaskStatus[] } = STATUSES[from];
  return next.includes(to);
}
