/**
 * The statuses of a task and the moves between them, as data: workflow code checks its moves against this table.
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

export function mayMove(from: TaskStatus, to: TaskStatus): boolean {
  return STATUS_MOVES[from].includes(to);
}
