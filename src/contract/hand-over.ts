import type { AuditState } from './audit.ts';
import type { JobPlan, Turn } from './job-plan.ts';
import type { MirrorState, ReindexState, RetiredIndex, RolledBack } from './reindex-state.ts';
import type { SteeringEntry, Tracker, TrackerError } from './tasks.ts';

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
  /**
   * Progress of an index deletion; only from an earlier run. `mirror` null: the index is no longer kept current; `begun`: it
   * takes no writes any more.
   */
  deletion?: { deleteAtMs: number; indexNo: number; mirror: MirrorState | null; rolledBack?: RolledBack; begun?: true };
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
