import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Embedder } from '../contract/embedder.ts';
import type { ModelConfig } from '../contract/models.ts';
import type { TaskStatus } from '../contract/status.ts';
import type { SteerFilter } from '../contract/steer-tasks.ts';
import type { TaskType, Tracker } from '../contract/tasks.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Loader } from '../pipeline/load.ts';
import type { Db } from '../store/database.ts';
import type { SteerTarget } from '../store/steer-results.ts';

/** A task as it is now. */
export interface FoundTask {
  type: TaskType;
  status: TaskStatus;
  runId: string;
  ended: boolean;
}

/** Sees and steers tasks. Errors are those of the Temporal client: `TaskNotFound`, `TaskClosed`, `TemporalUnavailable`. */
export interface TaskControl {
  /** Newest first, as far as they are listed yet. */
  list(filter: Omit<SteerFilter, 'types'> & { types?: readonly TaskType[] }): AsyncIterable<SteerTarget>;
  look(taskId: string): Promise<FoundTask>;
  /** Waits a few seconds for it to stop. */
  cancel(taskId: string, options: HowToSteer): Promise<Tracker>;
  restart(taskId: string, options: HowToSteer): Promise<Tracker>;
  pause(taskId: string, options: HowToSteer): Promise<Tracker>;
  resume(taskId: string, options: HowToSteer): Promise<Tracker>;
  ignore(taskId: string, options: HowToSteer): Promise<Tracker>;
}

export interface HowToSteer {
  reason?: string | undefined;
  force: boolean;
  /** Who asks: kept in the task's tracker. */
  by: string;
}

/** What activities work with: given when the worker is made, so that tests give them real small ones. */
export interface ActivityDependencies {
  db: Db;
  /** For what nobody waits for: the work of reindexes. The same as `db` where there are too few connections for two. */
  background: Db;
  models: { embedder(config: ModelConfig): Embedder };
  loader: Loader;
  log: Logger;
  metrics?: Metrics | undefined;
  /** Of the Temporal server: for the lanes of jobs. */
  client: Client;
  tasks: TaskControl;
  /** Asks the Temporal server to cancel a workflow. */
  cancelWorkflow(workflowId: string, runId: string): Promise<void>;
  /** Whether Temporal still knows a task, running or closed. */
  isTaskKnown(taskId: string): Promise<boolean>;
  /** Whether what is staged under this name may belong to the task as it is now, and not to one that it took the place of. */
  isStagingUsed(taskId: string, staging: string): Promise<boolean>;
  settings: {
    maxConcurrentReindexes: number;
    /** Most objects of a slice, which is a child workflow: it should take some seconds where the model is fast. */
    sliceObjects: number;
    /** Of the time, for writing copies while live work goes on; 1: as fast as it can. */
    copyShare: number;
    /** How long an activity waits for a model that does not answer, in ms; then Temporal tries it again. */
    modelPatienceMs: number;
    /** Memory of one HNSW build. */
    indexMemoryMb: number;
    /** Parts from which an index that was filled by upserts gets its HNSW index. */
    vectorIndexAfterParts: number;
    /** How long a deleted object is remembered. */
    tombstoneRetentionSeconds: number;
  };
}
