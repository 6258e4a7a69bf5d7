import { indexActivities, longControl } from './activities.ts';

export interface MaintenanceReport {
  tombstones: number;
  /** Half-deleted indexes that were removed. */
  indexes: number;
  staged: number;
  failed: number;
  steered: number;
  evaluated: number;
  vectorIndexes: number;
}

/**
 * Runs periodic maintenance, started by a schedule: removes old tombstones, indexes whose deletion was terminated and
 * items of tasks that Temporal no longer has, and builds the HNSW indexes of indexes that grew by small writes.
 */
export async function maintain(): Promise<MaintenanceReport> {
  const tombstones = await longControl.collectTombstones();
  const indexes = await longControl.dropMarked();
  const gone = await longControl.dropExpired();
  const due = await longControl.listDueVectorIndexes();
  for (const indexNo of due) await indexActivities().buildVectorIndex(indexNo, { leaveLocked: true });
  return { tombstones, indexes, ...gone, vectorIndexes: due.length };
}
