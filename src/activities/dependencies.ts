import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { ModelBudgets } from '../contract/budget.ts';
import type { Embedder } from '../contract/embedder.ts';
import type { ModelPrices } from '../contract/model-prices.ts';
import type { ModelConfig } from '../contract/models.ts';
import type { TaskStatus } from '../contract/status.ts';
import type { SteerFilter } from '../contract/steer-tasks.ts';
import type { TaskType } from '../contract/task-types.ts';
import type { Tracker } from '../contract/tasks.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { BatchInterface } from '../models/batches/interface.ts';
import type { Loader } from '../pipeline/load.ts';
import type { Sleep } from '../pipeline/load-with-retries.ts';
import type { Db } from '../store/database.ts';
import { type Names, ONLY_NAMES } from '../store/placement/directory.ts';
import type { SourceDatabases } from '../store/sources/databases.ts';
import type { SteerTarget } from '../store/steer-results.ts';

/** The current state of a task. */
export interface FoundTask {
  type: TaskType;
  status: TaskStatus;
  runId: string;
  ended: boolean;
}

/** Looks up and steers tasks. Errors of the Temporal client: `TaskNotFound`, `TaskClosed`, `TemporalUnavailable`. */
export interface TaskSteerer {
  /** Lists tasks, newest first; very recent ones may be missing. */
  list(filter: Omit<SteerFilter, 'types'> & { types?: readonly TaskType[] }): AsyncIterable<SteerTarget>;
  look(taskId: string): Promise<FoundTask>;
  /** Cancels a task and waits a few seconds for it to stop. */
  cancel(taskId: string, options: HowToSteer): Promise<Tracker>;
  restart(taskId: string, options: HowToSteer): Promise<Tracker>;
  pause(taskId: string, options: HowToSteer): Promise<Tracker>;
  resume(taskId: string, options: HowToSteer): Promise<Tracker>;
  ignore(taskId: string, options: HowToSteer): Promise<Tracker>;
}

export interface HowToSteer {
  reason?: string | undefined;
  force: boolean;
  /** The requester, kept in the task's tracker. */
  by: string;
}

/** Dependencies of the activities, passed in when the worker is created, so that tests can use small real ones. */
export interface ActivityDependencies {
  db: Db;
  /**
   * For work that nobody waits for, such as reindexes. The same as `db` if there are too few connections for two pools.
   */
  background: Db;
  /** Creates names in `db`; default: it is the only database. */
  names?: Names | undefined;
  /** Takes back the names of this database that are gone; absent in the main database. Returns their number. */
  pruneNames?: ((signal: AbortSignal) => Promise<number>) | undefined;
  models: {
    embedder(config: ModelConfig): Embedder;
    /** Absent: no provider has an interface for batches. */
    batches?(config: ModelConfig): BatchInterface | undefined;
  };
  loader: Loader;
  /** Waits between the tries of a load. Default: real time. */
  sleep?: Sleep | undefined;
  /** The databases of the tables that are followed. */
  sources: SourceDatabases;
  log: Logger;
  metrics?: Metrics | undefined;
  /** Temporal client, for the lanes of jobs. */
  client: Client;
  tasks: TaskSteerer;
  /** Asks the Temporal server to cancel a workflow. */
  cancelWorkflow(workflowId: string, runId: string): Promise<void>;
  /** Whether Temporal still knows a task, running or closed. */
  isTaskKnown(taskId: string): Promise<boolean>;
  /** Whether a staging may belong to the current task, as opposed to an earlier task with the same id. */
  isStagingUsed(taskId: string, staging: string): Promise<boolean>;
  settings: {
    maxConcurrentReindexes: number;
    /** Max objects per slice. A slice is a child workflow that should take some seconds with a fast model. */
    sliceObjects: number;
    /** Share of the time for writing copies during live work; 1 means as fast as possible. */
    copyShare: number;
    /** How long an activity waits for a model that does not answer, in ms, before Temporal retries it. */
    modelPatienceMs: number;
    /** Memory of one HNSW build, in MB. */
    indexMemoryMb: number;
    /** Number of parts from which an index filled by upserts gets its HNSW index. */
    vectorIndexAfterParts: number;
    /** Number of parts from which a reindex chooses when its HNSW index is built. Default: 25,000. */
    minPartsToChoose?: number;
    /** Changes of a source that may wait; with more, it stops. Default: no limit. */
    sourceMaxChanges?: number;
    /** How long a deleted object is remembered. */
    tombstoneRetentionSeconds: number;
    /** Prices that override the known ones. */
    modelPrices?: ModelPrices;
    /** The folder with the files of tokenizers. */
    tokenizerDir?: string | null;
    /** Budgets per day. */
    modelBudgets?: ModelBudgets;
    /** Max texts of one file for a provider's batches. Default: the provider's limit. */
    batchApiTexts?: number;
  };
}

/** Returns what creates names in the database of the activities. */
export function namesOf({ names = ONLY_NAMES }: ActivityDependencies): Names {
  return names;
}
