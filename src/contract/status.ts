/**
 * The statuses of a task and the moves between them, as data: workflow code checks its moves against this table and
 * the documentation is made from it.
 */
export const TASK_STATUSES = [
  'pending',
  'processing',
  'waiting',
  'paused',
  'failed',
  'exhausted',
  'done',
  'canceled',
  'refused',
  'ignored',
] as const;

export type TaskStatus = (typeof TASK_STATUSES)[number];

/** What each status means, in one line a user can read. */
export const STATUS_MEANING: Record<TaskStatus, string> = {
  pending: 'accepted, not begun',
  processing: 'an attempt is running',
  waiting: 'rescheduled: a conflict, or a time that has not come; looked at again by itself',
  paused: 'stopped between two batches until it is resumed',
  failed: 'the attempt failed; another follows, unless the error cannot be retried',
  exhausted: 'every attempt failed and none is left',
  done: 'finished',
  canceled: 'stopped on request',
  refused: 'a rule forbids it',
  ignored: 'set aside by someone; never run unless forced',
};

export const STATUS_MOVES: Record<TaskStatus, readonly TaskStatus[]> = {
  pending: ['processing', 'paused', 'waiting', 'failed', 'canceled', 'refused', 'ignored'],
  processing: ['done', 'waiting', 'paused', 'failed', 'exhausted', 'canceled', 'refused', 'ignored'],
  waiting: ['processing', 'paused', 'failed', 'exhausted', 'canceled', 'refused', 'ignored'],
  paused: ['processing', 'waiting', 'failed', 'exhausted', 'canceled', 'ignored'],
  failed: ['processing', 'paused', 'canceled', 'ignored'],
  exhausted: ['processing'],
  done: ['processing'],
  canceled: ['processing'],
  refused: ['processing'],
  ignored: ['processing'],
};

/** Statuses of a task whose workflow has ended. `failed` is one only when the error cannot be retried. */
export const CLOSED_STATUSES: readonly TaskStatus[] = ['exhausted', 'done', 'canceled', 'refused', 'ignored'];

export function mayMove(from: TaskStatus, to: TaskStatus): boolean {
  return STATUS_MOVES[from].includes(to);
}
