import type { VectorIndexConfig } from './vector-index.ts';

/** Activities of a task that changes the vector index of an index, on the embed queue. */
export interface VectorIndexActivities {
  /** Checks what the task asks for and, unless `isClaimed`, records that it is the last one that was asked. */
  beginVectorIndexChange(request: {
    taskId: string;
    index: string;
    indexNo: number | null;
    vectorIndex: VectorIndexConfig | null;
    isClaimed: boolean;
  }): Promise<{ indexNo: number }>;
  /**
   * Builds the new HNSW index beside the old one and switches. `superseded`: another task was asked since; `busy`: another
   * task builds one, or the connection of a dead worker still does.
   */
  changeVectorIndex(request: {
    taskId: string;
    indexNo: number;
    vectorIndex: VectorIndexConfig | null;
  }): Promise<{ kind: 'done'; built: boolean } | { kind: 'superseded'; by: string | null } | { kind: 'busy' }>;
}
