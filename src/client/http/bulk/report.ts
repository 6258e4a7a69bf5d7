import type { Stage } from '../../../contract/tasks.ts';
import type { DeletionInput, ItemInput } from '../tasks.ts';

export type BulkOperation = { upsert: ItemInput } | { delete: DeletionInput };

/** Where an operation failed: before it was sent, in being accepted, in its pipeline, or with its task as a whole. */
export type BulkStage = 'check' | 'accept' | Stage | 'task';

interface Named {
  op: 'upsert' | 'delete';
  /** Of the object. */
  id: string;
}

export interface BulkDone extends Named {
  /** `done`: it was carried out, which also means that a newer version was left alone. `accepted`: without `wait`. */
  status: 'done' | 'accepted';
  taskId: string;
}

export interface BulkFailed extends Named {
  status: 'failed';
  /** Of the task that may have carried it out all the same; null if there was none for sure. */
  taskId: string | null;
  stage: BulkStage;
  /** A stable code: an error type, `stale-beyond-retention`, or for `task` the status with which the task ended. */
  reason: string;
  detail: string;
  /** To be sent again, or put aside. */
  operation: BulkOperation;
}

/** What became of one operation. Those on one object that were sent are reported in the order they were pushed in. */
export type BulkReport = BulkDone | BulkFailed;

export interface BulkSummary {
  /** Reported so far; each is one of the next three. */
  operations: number;
  done: number;
  accepted: number;
  failed: number;
  /** What the tasks counted, of `done`: written, of these with unchanged content, and left alone for a newer version. */
  written: number;
  unchanged: number;
  stale: number;
  /** Tasks, and the bytes of their items as JSON. */
  batches: number;
  bytes: number;
  /** Batches sent again because the API could not be reached or asked to slow down. */
  retries: number;
  seconds: number;
}
