import type { Isolate } from './jobs.ts';
import type { Json } from './json.ts';
import type { SteerAction, SteerFilter, SteerOutcome } from './steer-tasks.ts';
import type { OnReindex, TaskType } from './tasks.ts';
import type {
  Accepted,
  JobInput,
  JobPlan,
  LaneAnswer,
  LaneRequest,
  LockedPair,
  MirrorState,
  ReindexInput,
  ReindexSliceInput,
  SlicePlan,
  Turn,
} from './workflow-inputs.ts';

/** The activities that workflows call, as an interface: workflow code never sees what is behind it. */

export interface AdmitRequest {
  taskId: string;
  /** The start that the run belongs to: whatever is executed again under it is the same admission. */
  chain: string;
  type: TaskType;
  /** As it came. */
  input: unknown;
  /** That of an earlier run of the task. */
  version: number | null;
  /** The task is restarted: what is on its failed list stays. */
  again: boolean;
}

export interface WriteChunkRequest {
  taskId: string;
  staging: string;
  kind: 'upsert' | 'delete';
  /** The name the caller used: an index or an alias. */
  index: string;
  /** The index that this name meant when the task was accepted; null: it was an alias. */
  indexNo?: number | null | undefined;
  version: number;
  onReindex: OnReindex;
  fromSeq: number;
  toSeq: number;
  /** Items may be on the failed list from an earlier try. */
  triedBefore: boolean;
  /** Leave out what is not on the failed list. */
  onlyFailed: boolean;
  /** These few items are all of the task: once they are written, what was staged is dropped with the same transaction. */
  isWhole: boolean;
}

export interface WriteCountsByItem {
  /** Applied, including those whose content had not changed. */
  written: number;
  /** Content had not changed: nothing was embedded. */
  unchanged: number;
  /** A newer version is stored. */
  stale: number;
  /** On the failed list. */
  failed: number;
}

export interface WriteChunkResult {
  nextSeq: number;
  counts: WriteCountsByItem;
  /** Milliseconds from the first try that a cut-over held back to the one that went through, or to the end of this chunk. */
  heldBackMs: number;
  /** Stretches of items that the index being built is still to get. */
  forwards: ForwardRange[];
  /** Items that it was given already. */
  forwarded?: number;
  /** Why it stopped before `toSeq`, if not for the time. */
  blocked: { kind: 'draining' } | { kind: 'locked'; taskId: string } | null;
  /** Number of the index, if it has grown enough parts without an HNSW index to deserve one. */
  vectorIndexDue: number | null;
  /** What was staged for the task is gone: nothing is left to do with it. */
  isDropped?: boolean;
}

export interface ForwardRange {
  fromSeq: number;
  toSeq: number;
  sourceNo: number;
  destNo: number;
  lock: string;
}

export interface CopyCounts {
  copied: number;
  tombstones: number;
  failed: number;
}

export interface LockPairRequest {
  taskId: string;
  lock: string;
  input: ReindexInput;
  /** A small source is planned too, for so many batches at once; absent: it is not. */
  lanes?: number;
}

export type LockPairResult =
  | ({ kind: 'locked'; mark: number; lockTime: string; lockExpireTime: string } & Omit<LockedPair, 'mirrorLock'>)
  | { kind: 'conflict'; reason: string; detail: string; alwaysRefused: boolean };

export interface PrepareDestRequest {
  lock: string;
  sourceNo: number;
  destNo: number;
  destExisting: 'refuse' | 'replace';
}

export interface PrepareDestResult {
  refused: boolean;
  /** Objects of the destination that are newer than in the source, and objects that the source does not know. */
  newer: number;
  unknown: number;
  /** A few of their ids. */
  examples: string[];
  removed: number;
}

/** Control activities: short, on the workflow's own task queue, most of them run locally. */
export interface ControlActivities {
  /** Checks the input of a workflow started without the API, gives it its version and stages its items. */
  admit(request: AdmitRequest): Promise<{ input: Record<string, unknown>; accepted: Accepted | null }>;
  /** Forgets, once for these items, what is on the failed list of an earlier task of the same id. */
  forgetFailed(taskId: string, staging: string): Promise<void>;
  /** Drops what was staged for a task, and remembers with which counts it was written. */
  dropStaged(staging: string, counts: WriteCountsByItem): Promise<void>;
  /** Ends the pauses that providers of the models of these indexes have asked for. */
  liftPauses(indexes: readonly string[]): Promise<void>;
  /** Asks Temporal to cancel the calling workflow, so that it ends as canceled. */
  requestCancel(): Promise<void>;
  lockPair(request: LockPairRequest): Promise<LockPairResult>;
  /** Whether something is still in the way of the lock. */
  isInTheWay(request: LockPairRequest): Promise<boolean>;
  /** Returns the new time of expiry. */
  renewLock(lock: string, lockSeconds: number): Promise<string>;
  releaseLock(lock: string): Promise<void>;
  /** Whether the reindex that held this lock has cut over: its destination was completed under it. */
  wasCutOver(destNo: number, lock: string): Promise<boolean>;
  /**
   * Looks at what the destination's own writes made that a copy would not overwrite, before anything is copied. With
   * `replace` it is removed; left-overs of earlier copies always are, unless it is `refused`.
   */
  prepareDest(request: PrepareDestRequest): Promise<PrepareDestResult>;
  planSlices(request: { sourceNo: number; after: string | null; lanes: number }): Promise<SlicePlan>;
  markDeleting(request: {
    index: string;
    indexNo: number | null;
    force: boolean;
    ownLock: string | null;
  }): Promise<{ indexNo: number }>;
  /** Removes the tables of an index that is marked; `inUse` when something still reads them: to be called again. */
  dropIndex(indexNo: number): Promise<{ kind: 'dropped' } | { kind: 'inUse'; by: string }>;
  /** Removes tombstones beyond their retention; returns how many. */
  collectTombstones(): Promise<number>;
  /** Removes the tables of indexes that are marked as being deleted and whose task is gone; returns of how many. */
  dropMarked(): Promise<number>;
  /** Drops staged and failed items, and results of steering, of tasks that Temporal no longer knows; returns of how many. */
  dropLeftOvers(): Promise<{ staged: number; failed: number; steered: number }>;
  /** Numbers of the indexes that have grown enough parts without an HNSW index to deserve one. */
  listDueVectorIndexes(): Promise<number[]>;
}

/** What jobs and their lanes ask of Temporal: on the workflows' own task queue. */
export interface LaneActivities {
  /** Asks the lane of a job whether it may run. */
  enterLane(request: { laneId: string; request: LaneRequest }): Promise<LaneAnswer>;
  /** Starts a job and returns its run id; null when there is a job of this id already. */
  startJob(request: {
    taskId: string;
    job: JobInput;
    plan: JobPlan | undefined;
    turn: Turn;
    inputHash: string | null;
  }): Promise<string | null>;
  /** Jobs of this lane that run beside others, and have begun: a hundred at most. */
  parallelJobs(laneId: string): Promise<{ taskId: string; runId: string }[]>;
  /** Whether this run of a job is open. */
  isJobOpen(run: { taskId: string; runId: string }): Promise<boolean>;
}

/** Steering many tasks: on the workflows' own task queue. */
export interface SteerActivities {
  /** Fixes which tasks are steered, and returns how many; `again`: those of an earlier run, whose failures get another turn. */
  snapshotTasks(request: { taskId: string; filter: SteerFilter; again: boolean }): Promise<number>;
  /** Steers for some seconds; returns how many came to each outcome so far, and whether all have. */
  steerChunk(
    request: SteerChunkRequest,
  ): Promise<{ byOutcome: Partial<Record<SteerOutcome, number>>; isDone: boolean }>;
}

export interface SteerChunkRequest {
  taskId: string;
  action: SteerAction;
  force: boolean;
  reason: string | undefined;
  dryRun: boolean;
  /** Who has asked for it, if that is known. */
  by: string | undefined;
}

/** On the admission queue: any worker that knows the definitions takes it, however busy it is. */
export interface AdmissionActivities {
  /** Checks a job that was started without our client, and makes its plan. */
  admitJob(job: JobInput): Promise<JobPlan>;
}

export interface RunJobRequest {
  name: string;
  input: unknown;
  attempt: number;
  bind: boolean;
  timeoutMs: number;
  isolate: Isolate;
}

/** On the queue of the job: one execution is one attempt. */
export interface JobActivities {
  runJob(request: RunJobRequest): Promise<Json>;
}

export interface CopySliceRequest
  extends Pick<
    ReindexSliceInput,
    'lock' | 'sourceNo' | 'destNo' | 'until' | 'batchSize' | 'inFlight' | 'ratePerSecond'
  > {
  /** The task on whose failed list objects are put that cannot be embedded. */
  taskId: string;
  after: string | null;
  /** So many batches before had no object that could be embedded. */
  failedBatches?: number;
}

export interface ReconcileRequest {
  taskId: string;
  lock: string;
  sourceNo: number;
  destNo: number;
  /** Changes up to this one are in the destination. */
  mark: number;
  batchSize: number;
  ratePerSecond: number | null;
}

export interface CutOverRequest extends ReconcileRequest {
  alias: string | null;
  drainSeconds: number;
  mirror: { lock: string; lockSeconds: number; taskId: string } | null;
}

export interface RetryFailedRequest {
  /** The reindex on whose failed list the objects are. */
  taskId: string;
  /** The name of its destination. */
  index: string;
  /** Of an earlier answer: goes on after this object. */
  after: string | null;
}

export interface VerifyResult {
  source: number;
  dest: number;
  failed: number;
  removed: number;
  /** Share of the exact neighbours of a sample that the HNSW index finds too; null without an index or parts. */
  recall: number | null;
}

/** Activities that load, split, embed, write or copy: on the embed queue, with heartbeats. */
export interface EmbedActivities {
  writeChunk(request: WriteChunkRequest): Promise<WriteChunkResult>;
  forwardChunk(request: ForwardRange & { staging: string }): Promise<{ forwarded: number }>;
  checkModel(indexNo: number): Promise<void>;
  /**
   * Stops early when too many batches in a row had no object that could be embedded. `waitedMs`: how
   * long at least one batch left room for live work instead.
   */
  copySlice(request: CopySliceRequest): Promise<{
    counts: CopyCounts;
    cursor: string | null;
    done: boolean;
    failedBatches?: number;
    waitedMs: number;
  }>;
  /** `leaveLocked`: an index that a reindex is building is left to the reindex. */
  buildVectorIndex(indexNo: number, options?: { leaveLocked?: boolean }): Promise<void>;
  /** Brings what changed since the mark; `more` when it stopped for the time. */
  reconcile(request: ReconcileRequest): Promise<{ counts: CopyCounts; mark: number; more: boolean }>;
  verify(request: ReconcileRequest & { maxFailed: number }): Promise<VerifyResult>;
  /** Drains, brings the last few and switches; `notYet` when that took longer than writers may be held back. */
  cutOver(request: CutOverRequest): Promise<{ kind: 'done' | 'notYet'; mark: number; drainMs: number }>;
  /** Embeds anew what a reindex could not embed; `more` when it stopped for the time. */
  retryFailed(
    request: RetryFailedRequest,
  ): Promise<{ embedded: number; failed: number; after: string | null; more: boolean }>;
  /** Renews the mirror's lock and brings what changed; `more` when it stopped for the time. */
  reconcileMirror(mirror: MirrorState): Promise<{ mark: number; more?: boolean }>;
}
