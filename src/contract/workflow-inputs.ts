import type { z } from 'zod';
import type { Approval, Approve } from './approval.ts';
import type { AuditState } from './audit.ts';
import type { Budget } from './budget.ts';
import type { Duration } from './duration-schema.ts';
import type { FullText } from './full-text.ts';
import type { AskedIndexBuild, IndexBuildState } from './index-build.ts';
import type { Metric, Splitter } from './indexes.ts';
import type { CallOptions, Isolate, OnDuplicate } from './jobs.ts';
import type { ModelConfig } from './models.ts';
import type { Deletion, Item } from './objects.ts';
import type { ReadsState } from './read-shares.ts';
import type { RollBackReport } from './roll-back.ts';
import type { SteerAction, SteerFilter } from './steer-tasks.ts';
import type { OnReindex } from './task-bodies.ts';
import type { TASKS, TaskType } from './task-types.ts';
import type { SteeringEntry, Tracker, TrackerError } from './tasks.ts';
import type { Storage, VectorIndexConfig } from './vector-index.ts';
import type { RollBackIf } from './watch.ts';

/**
 * The first argument of each workflow is the body of the HTTP call, as a person would write it. What the API and the
 * workflows themselves add is the second argument, a `HandOver`: no other caller sends one, and the first argument has
 * no fields for it.
 */

/** State that a task keeps when it is restarted or continued as a new run. */
export interface Carried {
  attempts: number;
  /** Only when a run continues itself. */
  maxAttempts?: number;
  createTime: string;
  errors: TrackerError[];
  data: Tracker['data'];
  progress: Tracker['progress'];
  version?: number | null;
  /** Set when a run continues itself: it is still the same attempt. */
  sameAttempt?: boolean;
  /** Process only items on the failed list. */
  onlyFailed?: boolean;
  steering?: SteeringEntry[];
  status?: Tracker['status'];
  children?: Tracker['children'];
  /** Pending requests of users, when a run continues itself. */
  signals?: CarriedSignals;
}

export interface CarriedSignals {
  stop: { status: 'canceled' | 'ignored'; reason?: string | undefined } | null;
  paused: boolean;
  restartRequested: boolean;
}

/** Increased when the meaning of a hand-over changes: a run refuses a hand-over of another version. */
export const HAND_OVER_VERSION = 1 as const;

/** What reembed itself passes to a run besides its body; each task type uses some of the fields. */
export interface HandOver {
  v: typeof HAND_OVER_VERSION;
  /** The run that this one continues; required for the progress of an earlier run. */
  from?: string;
  /** State of a task that is restarted or continued as a new run. */
  previous?: Carried;
  /** Set for an upsert or a delete whose items the API or an earlier run has accepted. */
  accepted?: Accepted;
  /** An earlier task with this id may have failed items: clear them before anything is written. */
  forget?: boolean;
  /** Progress of an upsert or a delete; only from an earlier run. */
  write?: WriteState;
  /** Progress of a reindex; only from an earlier run. */
  reindex?: ReindexState;
  /** Progress of an audit; only from an earlier run. */
  audit?: AuditState;
  /** Progress of a slice; only from an earlier run. */
  slice?: { after: string | null; ratePerSecond: number | null };
  /** Set for the deletion of an index that a reindex has replaced. */
  retired?: RetiredIndex;
  /** Progress of an index deletion; only from an earlier run. `mirror` null: the index is no longer kept current. */
  deletion?: { deleteAtMs: number; indexNo: number; mirror: MirrorState | null; rolledBack?: RolledBack };
  /** Number of the index to delete or change, so that another index with the same name is left alone. */
  indexNo?: number;
  /** Caller that started a reindex or a bulk steering task. */
  by?: string;
  /** The options of a job, as resolved by the client or by `admitJob`. */
  plan?: JobPlan;
  /** Set by the lane that started the job. */
  turn?: Turn;
  /** Set on the record of an ignored submission: the id of the job that it duplicates. */
  duplicateOf?: string;
}

export interface RetiredIndex {
  parentId: string;
  /** Number of the index, so that another index with the same name is not deleted. */
  indexNo: number;
  /** Set if the index is kept current from another one until it is deleted. */
  mirror?: MirrorState;
}

/** Progress of a live write: everything that its next run needs. */
export interface WriteState {
  counts: Record<
    'written' | 'unchanged' | 'stale' | 'failed' | 'forwarded' | 'forwardFailed' | 'heldBackMs',
    number
  > & {
    reused?: number;
    truncated?: number;
  };
  /** Ranges of items that must still be written, each by a lane. */
  lanes: { seq: number; toSeq: number }[];
  /** Number of the index that needs an HNSW index. */
  indexDue: number | null;
}

interface CommonInput {
  taskId?: string;
  maxAttempts?: number;
}

/** Input that the API has checked, with its version and its staged items. */
export interface Accepted {
  version: number;
  total: number;
  /** Number of the named index, the only one that may be written; null if an alias was named, which is resolved. */
  indexNo?: number | null;
  /** Key of the staged items, unique per acceptance, so that two with the same task id cannot mix. */
  staging: string;
  /** Name of the caller's API token, if it is known. */
  by?: string;
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

/** Progress of a reindex: everything that its next run needs. */
export interface ReindexState {
  locked: LockedPair | null;
  /** Last key copied under this lock; null if none. */
  copiedTo: string | null;
  /** Slices were started under this lock. */
  isCopyBegun?: boolean;
  /**
   * What failed before the reindex paused because of failed batches is copied again: `later`, after everything else,
   * or `now`.
   */
  copyAgain?: 'later' | 'now';
  /** When the HNSW index is built, once that is to be chosen or was chosen. */
  indexBuild?: IndexBuildState;
  /** Copy and HNSW build are complete, and need not be repeated under the same lock. */
  copied: boolean;
  /** Number of the last source change that is in the destination. */
  mark: number;
  ratePerSecond: number | null;
  cutOver: (Pair & { mark: number; source: string; alias: string | null; mirrorLock: string | null }) | null;
  /** Set once the new index is complete, if someone must decide about the switch. */
  approval?: Approval;
  /** Set once the shares of searches for the new index were changed, or take effect. */
  reads?: ReadsState;
  /** The new index is complete and may get searches. */
  readsOpen?: boolean;
  /** Set once texts were sent in batches of the provider. */
  batches?: BatchesState;
  /** Progress of the retry of objects that could not be embedded. */
  retry?: { after: string | null; embedded: number; failed: number };
}

/** Jobs at the provider of a model; their texts and vectors are not here. */
export interface BatchesState {
  /** Names the jobs of this reindex at the provider. */
  key: string;
  /** When the first was sent. */
  sinceMs: number;
  destNo: number;
  /** Ranges to send, the next first. */
  due: BatchDue[];
  open: OpenBatch[];
  /** Ranges so far. */
  ranges: number;
  /** Max texts of a job, once the provider accepted no larger one; otherwise null. */
  maxTexts: number | null;
  counts: BatchCounts;
  /** The name of the job that is being sent; it may exist already. */
  sending?: string;
  isOver: boolean;
}

/** A range of keys whose texts are sent as one job, for the first time with the round 0. */
export interface BatchDue {
  no: number;
  round: number;
  after: string | null;
  until: string | null;
  /** Rounds in a row that brought nothing. */
  idle: number;
}

export interface OpenBatch extends BatchDue {
  id: string;
  texts: number;
  tokens: number;
  /** Set once its answers are stored, with the texts that have none and the answers of this round. */
  collected?: { open: number; fresh: number; copiedTo: string | null };
}

export interface BatchCounts {
  /** Jobs and texts that were sent, answers so far, and texts that the model refused. */
  jobs: number;
  texts: number;
  answered: number;
  refused: number;
  /** Answers to nothing that was sent. */
  unknown: number;
}

export interface Pair {
  sourceNo: number;
  destNo: number;
}

export interface LockedPair extends Pair {
  lock: string;
  source: string;
  alias: string | null;
  /** The destination already existed, with objects. */
  destHasObjects?: boolean;
  /** Lock under which the source is kept current after the cut-over; null if it is not. */
  mirrorLock: string | null;
  /** Copy plan of a small source; absent or null if it must still be planned. */
  plan?: SlicePlan | null;
  /** The source has so many parts that it matters when the HNSW index is built; absent if that was not asked. */
  isLarge?: boolean;
}

export interface SlicePlan {
  slices: { after: string | null; until: string | null }[];
  /** Approximate objects in one slice. */
  size: number;
  /** Objects of the source. */
  total: number;
  /** Objects in these slices, if others follow them; then the last one has an end. */
  objects?: number;
  /** Batches that each slice copies at once; default: 1. */
  inFlight?: number;
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

/** Set once an index that is kept current was rolled back to: from then on, nothing is deleted unless requested. */
export interface RolledBack {
  /** Until then, the index that does not serve is kept current. */
  untilMs: number;
  /** The last of the roll backs. */
  report: RollBackReport;
}

export interface MirrorState {
  lock: string;
  lockSeconds: number;
  sourceNo: number;
  destNo: number;
  mark: number;
  /** The alias whose searches may also run on the retired index; absent if the reindex switched none. */
  alias?: string;
  reads?: ReadsState;
  /** Set while the searches that the new index answers are watched. */
  watch?: WatchState;
}

export interface WatchState {
  untilMs: number;
  /** How long it is watched, in words. */
  for: string;
  rollBackIf: RollBackIf;
  /** When the next check is due, also in the next run. */
  nextMs?: number;
  /** There were enough searches to decide. */
  isDecided?: boolean;
  /** The bounds that were exceeded, in words: it rolls back as soon as it can. */
  exceeded?: string;
}

/** The resolved options of a job; times in milliseconds. */
export interface JobPlan {
  timeoutMs: number;
  /** Queue of the workers that run it. */
  queue: string;
  bind: boolean;
  onDuplicate: OnDuplicate;
  /** Hash of the key by which jobs with the same name are duplicates. */
  keyHash: string;
  newest: boolean;
  maxAttempts: number;
  backOff: { initialMs: number; factor: number; maxMs: number };
  /** A time in ms since 1970, or a delay after its start, by the server's clock; null: immediately. */
  runs: { atMs: number } | { afterMs: number } | null;
  priority: number;
  fairnessKey: string | null;
  startTimeoutMs: number;
  isolate: Isolate;
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

/** Whether a job may run now, or which job it waits for. */
export type Turn = { kind: 'runs' } | { kind: 'waits'; behind: string };

/** Asks a lane whether a job may run. */
export interface LaneRequest {
  taskId: string;
  onDuplicate: Exclude<OnDuplicate, 'parallel'>;
  newest: boolean;
  /** Run id of the job's workflow if it exists: it was started by hand, by a schedule or by a restart. */
  runId: string | null;
  /** The job to start when it is accepted, or whose input replaces that of the waiting job. */
  job: JobInput;
  /** Required when the lane starts the job. */
  plan?: JobPlan;
  inputHash: string | null;
  /** The trace of the sender, in which the lane starts the job. */
  trace?: TraceCarrier;
}

/** A trace as W3C headers. */
export type TraceCarrier = Record<string, string>;

/** Answer of a lane; `exists`: a job with this id exists from an earlier submission. */
export type LaneAnswer = Turn | { kind: 'ignored'; duplicateOf: string } | { kind: 'exists' };

/** A job in its lane. */
export interface LaneEntry {
  taskId: string;
  runId: string;
  /** It was notified of its turn, or was started with it. */
  told: boolean;
  /** It does not wait for other jobs, but they wait for it. */
  parallel?: boolean;
  /** Input of a newer submission that was ignored as a duplicate of it. */
  newest?: { input: unknown };
}

export interface LaneInput {
  /** Name of the jobs, for people. */
  name: string;
}

/** Second argument of a lane that continues as a new run: the first entry has its turn, the others wait. */
export interface LaneHandOver {
  v: typeof HAND_OVER_VERSION;
  from: string;
  entries: LaneEntry[];
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
