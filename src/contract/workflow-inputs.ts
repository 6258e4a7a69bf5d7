import type { Splitter } from './indexes.ts';
import type { CallOptions, Isolate, OnDuplicate } from './jobs.ts';
import type { ModelConfig } from './models.ts';
import type { Deletion, Item } from './objects.ts';
import type { SteerAction, SteerFilter } from './steer-tasks.ts';
import type { Duration, OnReindex, SteeringEntry, TaskType, Tracker, TrackerError } from './tasks.ts';

/**
 * The first argument of each workflow is the body of the HTTP call, as a person would write it. What the API and the
 * workflows themselves add is the second one, a `HandOver`: nobody else gives one, and the first argument has no room
 * for it.
 */

/** What a restarted task, or one continued as a new run, keeps. */
export interface Carried {
  attempts: number;
  /** Only of a run that continues itself. */
  maxAttempts?: number;
  createTime: string;
  errors: TrackerError[];
  data: Tracker['data'];
  progress: Tracker['progress'];
  version?: number | null;
  /** Set when a run continues itself: it is still the same attempt. */
  sameAttempt?: boolean;
  /** Only what is on the failed list is done again. */
  onlyFailed?: boolean;
  steering?: SteeringEntry[];
  status?: Tracker['status'];
  children?: Tracker['children'];
  /** What people have asked of a run that continues itself. */
  signals?: CarriedSignals;
}

export interface CarriedSignals {
  stop: { status: 'canceled' | 'ignored'; reason?: string | undefined } | null;
  paused: boolean;
  restartRequested: boolean;
}

/** Raised when what is handed over changes its meaning: a run refuses what another version has handed over. */
export const HAND_OVER_VERSION = 1 as const;

/** What the product itself gives a run beside its body; each type of task takes some of it. */
export interface HandOver {
  v: typeof HAND_OVER_VERSION;
  /** The run that goes on as this one; only with it may a run be given where the earlier one was. */
  from?: string;
  /** Of a task that is restarted, or that goes on as a new run. */
  previous?: Carried;
  /** Of an upsert or a delete whose items the API or an earlier run has accepted. */
  accepted?: Accepted;
  /** There may be failed items of an earlier task of this id: they are forgotten before anything is written. */
  forget?: boolean;
  /** Where an upsert or a delete is; only of an earlier run. */
  write?: WriteState;
  /** Where a reindex is; only of an earlier run. */
  reindex?: ReindexState;
  /** Where a slice is; only of an earlier run. */
  slice?: { after: string | null; ratePerSecond: number | null };
  /** Of the deletion of an index that a reindex has replaced. */
  retired?: RetiredIndex;
  /** Where the deletion of an index is; only of an earlier run. `mirror` null: it is no longer kept current. */
  deletion?: { deleteAtMs: number; indexNo: number; mirror: MirrorState | null };
  /** The index that is to be deleted, and not another of the same name. */
  indexNo?: number;
  /** Who has asked for the steering of many tasks. */
  by?: string;
  /** What the client or `admitJob` made of the options of a job. */
  plan?: JobPlan;
  /** Set by the lane that started the job. */
  turn?: Turn;
  /** Set on the record of a submission that was ignored: the job that stands for it. */
  standsFor?: string;
}

export interface RetiredIndex {
  parentId: string;
  /** The index must still be this one, and not another of the same name. */
  indexNo: number;
  /** The index is kept current from another one until it is deleted. */
  mirror?: MirrorState;
}

/** Where a live write is: all that a new run of it needs. */
export interface WriteState {
  counts: Record<'written' | 'unchanged' | 'stale' | 'failed' | 'forwarded' | 'forwardFailed' | 'heldBackMs', number>;
  /** Stretches of items that are still to be written, each by a lane. */
  lanes: { seq: number; toSeq: number }[];
  /** Number of the index that deserves an HNSW index. */
  indexDue: number | null;
}

interface CommonInput {
  taskId?: string;
  maxAttempts?: number;
}

/** The API has checked the input, given it its version and staged its items. */
export interface Accepted {
  version: number;
  total: number;
  /** The index that was named, which alone may be written to; null: an alias was, which is followed. */
  indexNo?: number | null;
  /** Under what the items are staged: one acceptance's own, so that two with the same task id cannot mix. */
  staging: string;
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
  alias?: string;
  onConflict?: 'wait' | 'refuse';
  waitSeconds?: number;
  concurrency?: number;
  batchSize?: number;
  maxFailed?: number;
  destExisting?: 'refuse' | 'replace';
  retire?: 'never' | 'now' | { after: Duration; keepCurrent?: boolean };
  ratePerSecond?: number;
  lockSeconds?: number;
  drainSeconds?: number;
}

/** Where a reindex is: all that a new run of it needs. */
export interface ReindexState {
  locked: LockedPair | null;
  /** Keys up to this one are copied under this lock; null: none are. */
  copiedTo: string | null;
  /** Slices were begun under this lock. */
  isCopyBegun?: boolean;
  /** Copied and indexed: need not be done again under the same lock. */
  copied: boolean;
  /** Changes of the source up to this one are in the destination. */
  mark: number;
  ratePerSecond: number | null;
  cutOver: (Pair & { mark: number; source: string; alias: string | null; mirrorLock: string | null }) | null;
  /** How far the run is that tries again what could not be embedded. */
  retry?: { after: string | null; embedded: number; failed: number };
}

export interface Pair {
  sourceNo: number;
  destNo: number;
}

export interface LockedPair extends Pair {
  lock: string;
  source: string;
  alias: string | null;
  /** The destination was there before, with objects. */
  destHasObjects?: boolean;
  /** That under which the source is kept current after the cut-over, if it is. */
  mirrorLock: string | null;
  /** How to copy a source that is small; none: that is still to be planned. */
  plan?: SlicePlan | null;
}

export interface SlicePlan {
  slices: { after: string | null; until: string | null }[];
  /** Objects of one slice, about. */
  size: number;
  /** Objects of the source. */
  total: number;
  /** Batches that each slice copies at once; absent: 1. */
  inFlight?: number;
}

/** Given by its reindex alone. */
export interface ReindexSliceInput {
  parentId: string;
  lock: string;
  sourceNo: number;
  destNo: number;
  after: string | null;
  until: string | null;
  batchSize: number;
  /** Batches copied at once; absent: 1. */
  inFlight?: number | undefined;
  ratePerSecond: number | null;
}

export interface DeleteIndexInput extends CommonInput {
  index: string;
  force?: boolean;
  after?: Duration;
}

export interface MirrorState {
  lock: string;
  lockSeconds: number;
  sourceNo: number;
  destNo: number;
  mark: number;
}

/** A job with all its options as they are to be; times in milliseconds. */
export interface JobPlan {
  timeoutMs: number;
  /** Of the workers that run it. */
  queue: string;
  bind: boolean;
  onDuplicate: OnDuplicate;
  /** Hash of what makes it a duplicate of others of its name. */
  keyHash: string;
  newest: boolean;
  maxAttempts: number;
  backOff: { initialMs: number; factor: number; mostMs: number };
  /** At a moment in ms since 1970, or so long after its start, by the server's clock; null: at once. */
  runs: { atMs: number } | { afterMs: number } | null;
  priority: number;
  fairnessKey: string | null;
  startTimeoutMs: number;
  isolate: Isolate;
}

/** Which tasks are steered is looked up once, when it begins. */
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

/** Whether a job may run now, or behind which other one. */
export type Turn = { kind: 'runs' } | { kind: 'waits'; behind: string };

/** Asks a lane whether a job may run. */
export interface LaneRequest {
  taskId: string;
  onDuplicate: Exclude<OnDuplicate, 'parallel'>;
  newest: boolean;
  /** Of the job's workflow, when it is there already: it was started by hand, by a schedule or again. */
  runId: string | null;
  /** The job to start when it is accepted, or whose input the one that waits is to have. */
  job: JobInput;
  /** Needed when the lane is to start it. */
  plan?: JobPlan;
  inputHash: string | null;
}

/** `exists`: there is a job of this id already, from an earlier submission. */
export type LaneAnswer = Turn | { kind: 'ignored'; standsFor: string } | { kind: 'exists' };

/** A job in its lane. */
export interface LaneEntry {
  taskId: string;
  runId: string;
  /** It has been told that its turn has come, or was started with it. */
  told: boolean;
  /** It minds no others and has not waited for its turn; others mind it. */
  parallel?: boolean;
  /** The input of a newer submission that was ignored for it. */
  newest?: { input: unknown };
}

export interface LaneInput {
  /** Of the jobs, for people. */
  name: string;
}

/** The second argument of a lane that goes on as a new run: the first entry has its turn, the others wait. */
export interface LaneHandOver {
  v: typeof HAND_OVER_VERSION;
  from: string;
  entries: LaneEntry[];
}

/** What every workflow may be started with, by type of task. */
export interface TaskInputs {
  upsert: UpsertInput;
  delete: DeleteInput;
  reindex: ReindexInput;
  'reindex-slice': ReindexSliceInput;
  'delete-index': DeleteIndexInput;
  job: JobInput;
  steer: SteerInput;
}
export type AnyTaskInput = TaskInputs[TaskType];
