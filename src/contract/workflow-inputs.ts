import type { z } from 'zod';
import type { Approve } from './approval.ts';
import type { Budget } from './budget.ts';
import type { Duration } from './duration-schema.ts';
import type { FullText } from './full-text.ts';
import type { AskedIndexBuild } from './index-build.ts';
import type { Metric, Splitter } from './indexes.ts';
import type { CallOptions } from './jobs.ts';
import type { ModelConfig } from './models.ts';
import type { Deletion, Item } from './objects.ts';
import type { SteerAction, SteerFilter } from './steer-tasks.ts';
import type { OnReindex } from './task-bodies.ts';
import type { TASKS, TaskType } from './task-types.ts';
import type { Storage, VectorIndexConfig } from './vector-index.ts';
import type { RollBackIf } from './watch.ts';

/**
 * The first argument of each workflow is the body of the HTTP call, as a person would write it. What the API and the
 * workflows themselves add is the second argument, a `HandOver`: no other caller sends one, and the first argument has
 * no fields for it.
 */

interface CommonInput {
  taskId?: string;
  maxAttempts?: number;
}

export interface LiveWriteInput extends CommonInput {
  index: string;
  onReindex?: OnReindex;
}

export interface UpsertInput extends LiveWriteInput {
  items?: Item[];
  ignoreFailedItems?: boolean;
}

export interface DeleteInput extends LiveWriteInput {
  ids?: (string | Deletion)[];
}

export interface ReindexInput extends CommonInput {
  source: string;
  dest: string;
  destModel?: ModelConfig;
  destSplitter?: Splitter;
  destAverage?: boolean;
  /** Null: none. */
  destFullText?: FullText | null;
  destMetric?: Metric;
  destStorage?: Storage;
  /** Null: the usual one. */
  destVectorIndex?: VectorIndexConfig | null;
  alias?: string;
  onConflict?: 'wait' | 'refuse';
  waitSeconds?: number;
  concurrency?: number;
  batchSize?: number;
  maxFailed?: number;
  destExisting?: 'refuse' | 'replace';
  reuse?: boolean;
  batchApi?: boolean;
  /** Absent: after the copy. */
  indexBuild?: AskedIndexBuild;
  approve?: Approve;
  budget?: Budget | undefined;
  retire?: 'never' | 'now' | { after: Duration; keepCurrent?: boolean };
  shadow?: number;
  canary?: number;
  watch?: { for: Duration; rollBackIf: Partial<RollBackIf> } | undefined;
  ratePerSecond?: number;
  lockSeconds?: number;
  drainSeconds?: number;
}

/** Input of a slice; only its reindex starts it. */
export interface ReindexSliceInput {
  parentId: string;
  lock: string;
  sourceNo: number;
  destNo: number;
  after: string | null;
  until: string | null;
  batchSize: number;
  /** Batches copied at once; default: 1. */
  inFlight?: number | undefined;
  ratePerSecond: number | null;
  /** Only what failed before is copied again, so that batches which fail whole are no surprise. */
  again?: boolean | undefined;
}

export interface DeleteIndexInput extends CommonInput {
  index: string;
  force?: boolean;
  after?: Duration;
}

/** Input of bulk steering; the matching tasks are looked up once, at its start. */
export interface SteerInput extends CommonInput {
  action: SteerAction;
  filter: SteerFilter;
  force?: boolean;
  reason?: string;
  dryRun?: boolean;
}

export interface JobInput extends Omit<CallOptions, 'at'>, CommonInput {
  name: string;
  input?: unknown;
  at?: string;
}

/** Inputs of workflows that differ from the body of the task type, for instance because their items are staged. */
interface OwnInputs {
  upsert: UpsertInput;
  delete: DeleteInput;
  reindex: ReindexInput;
  'reindex-slice': ReindexSliceInput;
  'delete-index': DeleteIndexInput;
  job: JobInput;
  steer: SteerInput;
}

/** Inputs of the workflows, by task type. */
export type TaskInputs = {
  [T in TaskType]: T extends keyof OwnInputs ? OwnInputs[T] : z.input<NonNullable<(typeof TASKS)[T]['body']>>;
};
