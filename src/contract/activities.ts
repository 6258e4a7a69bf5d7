import type { AuditBody, AuditState } from './audit.ts';
import type { AuditChunkRequest, AuditChunkResult, CompareRequest, CompareResult } from './audit-activities.ts';
import type { BatchActivities } from './batch-activities.ts';
import type { Usage } from './budget.ts';
import type { EvaluationMetric, EvaluationRequest, Verdict } from './evaluation.ts';
import type { Accepted } from './hand-over.ts';
import type { ChooseIndexBuildRequest, IndexBuildChoice } from './index-build.ts';
import type { ReadShares } from './read-shares.ts';
import type {
  CopyCounts,
  CopySliceRequest,
  CutOverRequest,
  LockPairRequest,
  LockPairResult,
  PrepareDestRequest,
  PrepareDestResult,
  ReconcileRequest,
  RetryFailedRequest,
  RollBackActivityRequest,
  RollBackActivityResult,
  VerifyResult,
  WatchCheck,
} from './reindex-activities.ts';
import type { MirrorState, SlicePlan } from './reindex-state.ts';
import type { SyncActivities } from './source-activities.ts';
import type { OnReindex } from './task-bodies.ts';
import type { ChunkWaits } from './task-pace.ts';
import type { TaskType } from './task-types.ts';
import type { VectorIndexActivities } from './vector-index-activities.ts';
import type { RollBackIf } from './watch.ts';

/** The interface of the activities that workflows call; workflow code never sees their implementation. */

export interface AdmitRequest {
  taskId: string;
  /** Id of the workflow start; executions with the same id are the same admission. */
  chain: string;
  type: TaskType;
  /** Unchecked input. */
  input: unknown;
  /** Version from an earlier run of the task. */
  version: number | null;
  /** The task is restarted: its failed list is kept. */
  again: boolean;
}

export interface WriteChunkRequest {
  taskId: string;
  staging: string;
  kind: 'upsert' | 'delete';
  /** The name the caller used: an index or an alias. */
  index: string;
  /** Number of the index that had this name when the task was accepted; null for an alias. */
  indexNo?: number | null | undefined;
  version: number;
  onReindex: OnReindex;
  fromSeq: number;
  toSeq: number;
  /** Items may be on the failed list from an earlier attempt. */
  triedBefore: boolean;
  /** Process only items on the failed list. */
  onlyFailed: boolean;
  /** These few items are the whole task: the transaction that writes them also drops the staged items. */
  isWhole: boolean;
  /** Name of the API token that started the task, if it is known. */
  by?: string | undefined;
}

export interface WriteCountsByItem {
  /** Applied, including items with unchanged content. */
  written: number;
  /** Content unchanged: nothing was embedded. */
  unchanged: number;
  /** A newer version is already stored. */
  stale: number;
  /** On the failed list. */
  failed: number;
  /** Texts of these items for which the model was not asked; absent before it was counted. */
  reused?: number;
  /** Texts that the model did not read to their end, and that were split again; absent if there were none. */
  truncated?: number;
}

export interface WriteChunkResult {
  nextSeq: number;
  counts: WriteCountsByItem;
  /** Milliseconds from the first write that a cut-over blocked until one succeeded, or until the end of the chunk. */
  heldBackMs: number;
  /** Ranges of items that must still be forwarded to the index being built. */
  forwards: ForwardRange[];
  /** Items already forwarded to it. */
  forwarded?: number;
  /** Why the chunk stopped before `toSeq`; null when it finished or its time ended. */
  blocked: { kind: 'draining' } | { kind: 'locked'; taskId: string } | null;
  /** Number of the index, if it has enough parts to need an HNSW index and has none. */
  vectorIndexDue: number | null;
  /** The staged items of the task are already dropped. */
  isDropped?: boolean;
}

export interface ForwardRange {
  fromSeq: number;
  toSeq: number;
  sourceNo: number;
  destNo: number;
  lock: string;
}

/** Control activities: short, on the workflow's own task queue; most run as local activities. */
export interface ControlActivities {
  /** Checks the input of a workflow started without the API, assigns its version and stages its items. */
  admit(request: AdmitRequest): Promise<{ input: Record<string, unknown>; accepted: Accepted | null }>;
  /** Clears, once for these items, the failed list of an earlier task with the same id. */
  forgetFailed(taskId: string, staging: string): Promise<void>;
  /** Drops the staged items of a task, and stores the counts with which they were written. */
  dropStaged(staging: string, counts: WriteCountsByItem): Promise<void>;
  /** Ends the pauses that the model providers of these indexes have requested. */
  liftPauses(indexes: readonly string[]): Promise<void>;
  /** Requests cancellation of the calling workflow from Temporal, so that it ends as canceled. */
  requestCancel(): Promise<void>;
  lockPair(request: LockPairRequest): Promise<LockPairResult>;
  /** Whether something still conflicts with the lock. */
  isInTheWay(request: LockPairRequest): Promise<boolean>;
  /** Renews the lock and returns its new expiry time. */
  renewLock(lock: string, lockSeconds: number): Promise<string>;
  /** Records that the new index is complete and waits for a decision. */
  markBuilt(lock: string): Promise<void>;
  /** Sets the shares of the searches by an alias that also, or instead, run on the destination of a lock. */
  setReads(request: ReadShares & { lock: string; taskId: string; alias: string }): Promise<void>;
  /** Reads the figures of a watch, of a lock of a mirror, and compares them with its bounds. */
  checkWatch(request: { lock: string; rollBackIf: RollBackIf }): Promise<WatchCheck>;
  /** Ends the counting of searches for a watch. */
  endWatch(lock: string): Promise<void>;
  releaseLock(lock: string): Promise<void>;
  /** Whether the reindex with this lock has cut over, which means that its destination was completed under it. */
  wasCutOver(destNo: number, lock: string): Promise<boolean>;
  /**
   * Before the copy, finds objects written to the destination directly that the copy would not overwrite. With
   * `replace` they are removed; remains of earlier copies are always removed, unless the result is `refused`.
   */
  prepareDest(request: PrepareDestRequest): Promise<PrepareDestResult>;
  /** `share`: of what is left, only this share is planned. */
  planSlices(request: {
    sourceNo: number;
    after: string | null;
    lanes: number;
    share?: number | undefined;
  }): Promise<SlicePlan>;
  markDeleting(request: {
    index: string;
    indexNo: number | null;
    force: boolean;
    ownLock: string | null;
  }): Promise<{ indexNo: number }>;
  /** Drops the tables of an index marked for deletion; `inUse`: something still reads them, call again. */
  dropIndex(indexNo: number): Promise<{ kind: 'dropped' } | { kind: 'inUse'; by: string }>;
  /** Removes tombstones older than their retention; returns their number. */
  collectTombstones(): Promise<number>;
  /** Drops the tables of indexes marked for deletion whose task is gone; returns the number of indexes. */
  dropMarked(): Promise<number>;
  /** Drops staged and failed items, steering results and evaluations of tasks that Temporal has deleted; returns task counts. */
  dropExpired(): Promise<{ staged: number; failed: number; steered: number; evaluated: number }>;
  /** Lists the numbers of the indexes that have enough parts to need an HNSW index and have none. */
  listDueVectorIndexes(): Promise<number[]>;
}

/** What a workflow knows of an evaluation; the report is in Postgres. Scores are null without judgments. */
export interface EvaluationOutcome {
  verdict: Verdict;
  queries: number;
  judged: number;
  /** The measure that decides. */
  metric: EvaluationMetric;
  left: number | null;
  right: number | null;
  difference: number | null;
  overlap: number;
  /** The first reason of the verdict, in words. */
  why: string;
}

/** Activities that load, split, embed, write or copy, on the embed queue, with heartbeats. */
export interface EmbedActivities extends SyncActivities, VectorIndexActivities, BatchActivities {
  writeChunk(request: WriteChunkRequest): Promise<WriteChunkResult>;
  forwardChunk(request: ForwardRange & { staging: string }): Promise<{ forwarded: number }>;
  checkModel(indexNo: number): Promise<void>;
  /**
   * Copies a slice; stops early after too many consecutive batches without an object that could be embedded.
   * `waitedMs`: time during which at least one batch yielded to live work.
   * `waits`: what it waited for; missing from older workers.
   */
  copySlice(request: CopySliceRequest): Promise<{
    counts: CopyCounts;
    cursor: string | null;
    done: boolean;
    failedBatches?: number;
    waitedMs: number;
    waits?: ChunkWaits | undefined;
    usage?: Usage | undefined;
  }>;
  /** Begins the evaluation of a task, or continues the one of the same `run`; checks everything first. */
  beginEvaluation(request: {
    taskId: string;
    run: string;
    request: EvaluationRequest;
  }): Promise<{ total: number; done: number }>;
  /** Runs queries of the evaluation for some seconds; returns how many have run, and what a reindex has used by now. */
  evaluateQueries(taskId: string): Promise<{
    total: number;
    done: number;
    waits?: ChunkWaits | undefined;
    usage?: Usage | undefined;
  }>;
  /** Sums up the evaluation and stores its report. */
  finishEvaluation(taskId: string): Promise<EvaluationOutcome>;
  /** Resolves the index or the source of an audit and counts what it has; clears the list of an earlier audit unless `onlyFailed`. */
  beginAudit(request: { taskId: string; request: AuditBody; onlyFailed: boolean }): Promise<AuditState>;
  /** Looks at objects for some seconds, each broken one twice; lists or repairs them. */
  auditChunk(request: AuditChunkRequest): Promise<AuditChunkResult>;
  /** Compares rows of a source with their objects for some seconds, then objects with their rows. */
  compareChunk(request: CompareRequest): Promise<CompareResult>;
  /** Chooses when the HNSW index of a destination is built, by the speed of its copy so far. */
  chooseIndexBuild(request: ChooseIndexBuildRequest): Promise<IndexBuildChoice>;
  /** Builds the HNSW index; `leaveLocked`: skips an index that a reindex is building. */
  buildVectorIndex(indexNo: number, options?: { leaveLocked?: boolean }): Promise<void>;
  /** Copies the changes since the mark; `more` when its time ended first, or after too many failed batches. */
  reconcile(request: ReconcileRequest): Promise<{
    counts: CopyCounts;
    mark: number;
    more: boolean;
    failedBatches?: number;
    usage?: Usage | undefined;
    waits?: ChunkWaits | undefined;
  }>;
  verify(request: ReconcileRequest & { maxFailed: number }): Promise<VerifyResult>;
  /** Drains writers, copies the last changes and switches; `notYet` when that takes longer than `drainSeconds`. */
  cutOver(request: CutOverRequest): Promise<{ kind: 'done' | 'notYet'; mark: number; drainMs: number }>;
  /** Brings the index that is kept current up to date, drains writers, moves the aliases and swaps the mirror. */
  rollBack(request: RollBackActivityRequest): Promise<RollBackActivityResult>;
  /** Retries the objects that a reindex could not embed; `more` when its time ended first. */
  retryFailed(
    request: RetryFailedRequest,
  ): Promise<{ embedded: number; failed: number; after: string | null; more: boolean }>;
  /** Renews the mirror's lock and copies the changes; `more` when its time ended first. */
  reconcileMirror(mirror: MirrorState): Promise<{ mark: number; more?: boolean }>;
}
