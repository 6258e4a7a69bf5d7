import type { ChunkWaits } from './task-pace.ts';
export interface FollowRequest {
  /** Number and name of the source. */
  no: number;
  name: string;
}

/** `more`: its time is over. `ended`: the source is gone or was stopped. `stopped`: it cannot be followed any more. */
export interface FollowResult {
  kind: 'more' | 'ended' | 'stopped';
}

/** How far a sync is; kept in its tracker. */
export interface SyncPlace {
  /** `rows`: syncs the rows. `objects`: deletes objects without a row. */
  phase: 'rows' | 'objects';
  /** The last key, or the last object, that is done. */
  after: string[] | null;
}

export interface SyncCounts {
  written: number;
  unchanged: number;
  deleted: number;
  stale: number;
  failed: number;
}

const SYNC_COUNTS = ['written', 'unchanged', 'deleted', 'stale', 'failed'] as const;

export function noSyncCounts(): SyncCounts {
  return { written: 0, unchanged: 0, deleted: 0, stale: 0, failed: 0 };
}

/** Adds counts to a sum. What is not a number, as in a tracker without them, counts as 0. */
export function addSyncCounts(sum: SyncCounts, counts: Readonly<Record<string, unknown>> | SyncCounts): void {
  for (const name of SYNC_COUNTS) sum[name] += Number(counts[name] ?? 0);
}

export interface SyncRequest {
  taskId: string;
  /** Name of the source. */
  source: string;
  place: SyncPlace;
  ratePerSecond: number | null;
}

/** What a part of a sync has done. */
export interface SyncResult {
  counts: SyncCounts;
  /** Rows that it has read. */
  rows: number;
  /** Null at the end. */
  place: SyncPlace | null;
  /** What it waited for; missing from older workers. */
  waits?: ChunkWaits | undefined;
}

/** Activities on the queue of sources. */
export interface SourceActivities {
  /** Syncs the changes of a source to its index as they come, for some minutes. */
  followChanges(request: FollowRequest): Promise<FollowResult>;
}

/** Activities of a sync, on the embed queue. */
export interface SyncActivities {
  /** Looks a source up, and counts its rows; an estimate for many. */
  beginSync(source: string): Promise<{ index: string; rows: number }>;
  /** Syncs rows, then deletes objects without one, for some seconds. */
  syncChunk(request: SyncRequest): Promise<SyncResult>;
}
