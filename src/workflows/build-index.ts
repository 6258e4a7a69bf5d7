import { indexActivities } from './activities.ts';

/** Builds the HNSW index of an index that has grown by small writes: one workflow for each index, whoever starts it. */
export async function buildIndex(indexNo: number): Promise<void> {
  await indexActivities().buildVectorIndex(indexNo, { leaveLocked: true });
}
