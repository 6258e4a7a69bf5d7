import type { Approval } from './approval.ts';
import type { IndexBuildState } from './index-build.ts';
import type { ReadsState } from './read-shares.ts';
import type { RollBackReport } from './roll-back.ts';
import type { RollBackIf } from './watch.ts';

export interface RetiredIndex {
  parentId: string;
  /** Number of the index, so that another index with the same name is not deleted. */
  indexNo: number;
  /** Set if the index is kept current from another one until it is deleted. */
  mirror?: MirrorState;
}

/** Progress of a reindex: everything that its next run needs. */
export interface ReindexState {
  /** Number of the named source; null if an alias was named. */
  sourceNo?: number | null;
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
  /** True if the source has enough parts for the time of the HNSW build to matter; absent if that was not asked. */
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
