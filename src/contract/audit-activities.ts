import type { AuditCounts } from './audit.ts';
import type { SyncPlace } from './source-activities.ts';
import type { ChunkWaits } from './task-pace.ts';

export interface AuditChunkRequest {
  /** Task whose failed list gets what is broken. */
  taskId: string;
  indexNo: number;
  /** Continue after this object, from an earlier result. */
  after: string | null;
  until: string | null;
  /** Look only at objects on the failed list. */
  onlyFailed: boolean;
  repair: boolean;
  ratePerSecond: number | null;
  /** Objects that the list has room for. */
  room: number;
}

export interface AuditChunkResult {
  counts: AuditCounts;
  after: string | null;
  done: boolean;
  /** What it waited for; missing from older workers. */
  waits?: ChunkWaits | undefined;
}

export interface CompareRequest
  extends Pick<AuditChunkRequest, 'taskId' | 'onlyFailed' | 'repair' | 'ratePerSecond' | 'room'> {
  /** Name of the source. */
  source: string;
  place: SyncPlace;
}

export interface CompareResult {
  counts: AuditCounts;
  /** Null at the end. */
  place: SyncPlace | null;
  /** As of `AuditChunkResult`. */
  waits?: ChunkWaits | undefined;
}
