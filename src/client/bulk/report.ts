import type { Stage } from '../../contract/tasks.ts';
import type { DeletionInput, ItemInput } from '../tasks.ts';

export type BulkOperation = { upsert: ItemInput } | { delete: DeletionInput };

/** Where an operation failed: before it was sent, at acceptance, in its pipeline, or with its whole task. */
export type BulkStage = 'check' | 'accept' | Stage | 'task';

interface Named {
  op: 'upsert' | 'delete';
  /** The object's id. */
  id: string;
}

export interface BulkDone extends Named {
  /** `done`: it was carried out, or a newer version was kept. `accepted`: reported without `wait`. */
  status: 'done' | 'accepted';
  taskId: string;
}

export interface BulkFailed extends Named {
  status: 'failed';
  /** Id of the task that may have carried it out nevertheless; null if there certainly was none. */
  taskId: string | null;
  stage: BulkStage;
  /** A stable code: an error type, `stale-beyond-retention`, or for `task` the final status of the task. */
  reason: string;
  detail: string;
  /** The operation, to send it again or store it. */
  operation: BulkOperation;
}

/** The outcome of one operation. Operations on one object that were sent are reported in the order they were pushed. */
export type BulkReport = BulkDone | BulkFailed;

export interface BulkSummary {
  /** Operations reported so far; each is counted in one of the next three. */
  operations: number;
  done: number;
  accepted: number;
  failed: number;
  /** Counts of the tasks, within `done`: written; of these with unchanged content; skipped for a newer version. */
  written: number;
  unchanged: number;
  stale: number;
  /** Tasks, and the bytes of their items as JSON. */
  batches: number;
  bytes: number;
  /** Repeated batches because the API was unreachable or asked to slow down. */
  retries: number;
  seconds: number;
}
