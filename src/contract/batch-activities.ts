import type { Usage } from './budget.ts';

/** A job at the provider with the texts of a range of the source's keys. */
export interface SubmitBatchRequest {
  taskId: string;
  lock: string;
  sourceNo: number;
  destNo: number;
  rangeNo: number;
  /** The job's name at the provider: one that was created before is found by it. */
  name: string;
  /** No job with this name was created before, in ms. */
  sinceMs: number;
  after: string | null;
  until: string | null;
  /** Max texts; null: as many as the provider accepts. */
  maxTexts: number | null;
  /** Tokens of the jobs without answers so far. */
  openTokens: number;
}

export interface SubmittedBatch {
  /** Null if there was nothing to send. */
  batchId: string | null;
  /** The last key that it covers; null: to the end of the source. */
  until: string | null;
  texts: number;
  /** Estimated. */
  tokens: number;
}

export interface BatchLook {
  id: string;
  state: 'running' | 'ended' | 'failed';
  answered: number;
  total: number;
  /** Why the provider did not accept it. */
  problem?: { kind: 'tooMuch' | 'quota' | 'other'; message: string };
}

interface AnswerCounts {
  answered: number;
  refused: number;
}

export interface CollectedBatch {
  /** The texts of the range, over all its jobs; `open`: they must be sent again. */
  range: AnswerCounts & { open: number };
  /** What came just now. */
  fresh: AnswerCounts;
  /** Answers to texts that were not sent. */
  unknown: number;
  /** One of the reasons of refusals. */
  why: string | null;
  usage: Usage | undefined;
}

/** Activities of a reindex whose model is called through its provider's interface for batches. */
export interface BatchActivities {
  /** Sends the texts of the next objects of a range that the destination lacks, unless a job of this name exists. */
  submitBatch(request: SubmitBatchRequest): Promise<SubmittedBatch>;
  lookAtBatches(request: { destNo: number; ids: readonly string[] }): Promise<BatchLook[]>;
  /** Stores the answers of a job that has ended; the objects are then copied by `copySlice`. */
  collectBatch(request: {
    taskId: string;
    destNo: number;
    rangeNo: number;
    batchId: string;
    /** Estimated tokens of one text, for answers without a count. */
    tokensPerText: number;
  }): Promise<CollectedBatch>;
  /** Deletes a job's texts and vectors at the provider; with `isOver`, also the stored answers of its range. */
  forgetBatch(request: {
    taskId: string;
    destNo: number;
    rangeNo: number;
    batchId: string;
    isOver: boolean;
  }): Promise<void>;
  /**
   * Cancels jobs at the provider, also the one of the name `sending`, whose id is not known, and deletes all that is stored
   * of a task's jobs.
   */
  endBatches(request: {
    taskId: string;
    destNo: number;
    ids: readonly string[];
    sending: string | null;
    sinceMs: number;
  }): Promise<void>;
}
