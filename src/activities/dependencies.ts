import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Embedder } from '../contract/embedder.ts';
import type { ModelConfig } from '../contract/models.ts';
import type { Loader } from '../pipeline/load.ts';
import type { Db } from '../store/database.ts';

/** What activities work with: given when the worker is made, so that tests give them real small ones. */
export interface ActivityDependencies {
  db: Db;
  models: { embedder(config: ModelConfig): Embedder };
  loader: Loader;
  log: Logger;
  /** Of the Temporal server: for the lanes of jobs. */
  client: Client;
  /** Asks the Temporal server to cancel a workflow. */
  cancelWorkflow(workflowId: string, runId: string): Promise<void>;
  /** Whether Temporal still knows a task, running or closed. */
  isTaskKnown(taskId: string): Promise<boolean>;
  settings: {
    maxConcurrentReindexes: number;
    /** Memory of one HNSW build. */
    indexMemoryMb: number;
    /** Parts from which an index that was filled by upserts gets its HNSW index. */
    vectorIndexAfterParts: number;
    /** How long a deleted object is remembered. */
    tombstoneRetentionSeconds: number;
  };
}
