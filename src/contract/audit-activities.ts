import type { AuditCounts } from './audit.ts';

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
}
