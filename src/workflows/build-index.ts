import { indexActivities } from './activities.ts';
import { requireArgument } from './task/receive.ts';
import { whole } from './task/shapes.ts';

/** The numbers of indexes are `int` in Postgres. */
const MAX_INT = 2 ** 31 - 1;

/** Builds the HNSW index of an index that has grown by small writes. There is one such workflow per index. */
export async function buildIndex(indexNo: number): Promise<void> {
  requireArgument(whole(1, MAX_INT), indexNo);
  await indexActivities().buildVectorIndex(indexNo, { leaveLocked: true });
}
