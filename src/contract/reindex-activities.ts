import type { LockedPair, MirrorState } from './reindex-state.ts';
import type { RollBackReport } from './roll-back.ts';
import type { WatchFigures } from './watch.ts';
import type { ReindexInput, ReindexSliceInput } from './workflow-inputs.ts';

export interface CopyCounts {
  copied: number;
  tombstones: number;
  failed: number;
  /** Texts for which the model was not asked: their vectors were stored, or are those of an equal text. */
  reused?: number;
}

export interface LockPairRequest {
  taskId: string;
  lock: string;
  input: ReindexInput;
  /** Number of concurrent batches for which a small source is planned too; absent: it is not planned. */
  lanes?: number;
  /** Number of the named source, the only one that may be read; null or absent if an alias was named. */
  sourceNo?: number | null | undefined;
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
  /** Objects that are newer in the destination than in the source, and (`unknown`) objects missing in the source. */
  newer: number;
  unknown: number;
  /** Some of their ids. */
  examples: string[];
  removed: number;
}

export interface WatchCheck {
  /** Since when the searches in the figures were answered; null without searches. */
  since: string | null;
  figures: WatchFigures;
  baseline: WatchFigures;
  /** The bounds that are exceeded, in words; null with too few searches. */
  exceeded: string[] | null;
}

export interface CopySliceRequest
  extends Pick<
    ReindexSliceInput,
    'lock' | 'sourceNo' | 'destNo' | 'until' | 'batchSize' | 'inFlight' | 'ratePerSecond' | 'again'
  > {
  /** Task whose failed list receives the objects that cannot be embedded. */
  taskId: string;
  after: string | null;
  /** Number of consecutive earlier batches without an object that could be embedded. */
  failedBatches?: number;
  /** Copies only what the provider's batches of this range have answered, without a call of the model. */
  answersOf?: number | undefined;
}

export interface ReconcileRequest {
  taskId: string;
  lock: string;
  sourceNo: number;
  destNo: number;
  /** Number of the last change that is in the destination. */
  mark: number;
  batchSize: number;
  ratePerSecond: number | null;
  /** As of `CopySliceRequest`. */
  failedBatches?: number;
}

export interface CutOverRequest extends ReconcileRequest {
  alias: string | null;
  drainSeconds: number;
  mirror: { lock: string; lockSeconds: number; taskId: string; shadow?: number; watch?: boolean } | null;
}

export interface RollBackActivityRequest {
  taskId: string;
  /** The mirror from the index that serves to the one that shall serve. */
  mirror: MirrorState;
  /** The lock of the mirror in the other direction. */
  nextLock: string;
  /** Moves only these aliases; null: all that point to the index that serves. */
  aliases: readonly string[] | null;
  drainSeconds: number;
  by: string | null;
  reason: string | null;
}

export type RollBackActivityResult =
  /** `mark` is that of the mirror in the other direction. */
  | { kind: 'done'; mark: number; report: RollBackReport; drainMs: number }
  /** Nothing has changed: the index lacks something, or did not become current in time. */
  | { kind: 'notCurrent'; mark: number; message: string };

export interface RetryFailedRequest {
  /** Reindex whose failed list has the objects. */
  taskId: string;
  /** Name of its destination. */
  index: string;
  /** Continue after this object, from an earlier result. */
  after: string | null;
}

export interface VerifyResult {
  source: number;
  dest: number;
  failed: number;
  removed: number;
  /** Share of the exact neighbors of a sample that the HNSW index finds; null without an index or parts. */
  recall: number | null;
}
