import { indexActivities, longControl } from './activities.ts';

export interface MaintenanceReport {
  tombstones: number;
  /** Removed that were left half deleted. */
  indexes: number;
  staged: number;
  failed: number;
  steered: number;
  vectorIndexes: number;
}

/**
 * What has to be done from time to time, started by a schedule: old tombstones, items of tasks that Temporal has
 * forgotten, HNSW indexes of indexes that grew by small writes, indexes whose deletion was terminated.
 */
export async function maintain(): Promise<MaintenanceReport> {
  const tombstones = await longControl.collectTombstones();
  const indexes = await longControl.dropMarked();
  const gone = await longControl.dropLeftOvers();
  const due = await longControl.listDueVectorIndexes();
  for (const indexNo of due) await indexActivities().buildVectorIndex(indexNo, { leaveLocked: true });
  return { tombstones, indexes, ...gone, vectorIndexes: due.length };
}
