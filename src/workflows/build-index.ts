import { indexActivities } from './activities.ts';

/** Builds the HNSW index of an index that has grown by small writes. There is one such workflow per index. */
export async function buildIndex(indexNo: number): Promise<void> {
  await indexActivities().buildVectorIndex(indexNo, { leaveLocked: true });
}
