import type { Client } from '@temporalio/client';
import type { Context } from 'hono';
import type { z } from 'zod';
import type { ModelPrices } from '../../contract/model-prices.ts';
import type { TaskType } from '../../contract/task-types.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { Registry } from '../../jobs/types.ts';
import type { PlanSettings } from '../../plan/plan-reindex.ts';
import type { Db } from '../../store/database.ts';
import type { ModelMaker } from '../check-model.ts';
import type { ApiLog } from '../problems.ts';

export interface CallerOptions {
  /** Returns the caller's name for the record; default: the name of the API token. */
  callerOf?: (c: Context) => string | null | undefined;
}

export interface AcceptDependencies {
  client: Client;
  db: Db;
  /** Task queue of the workflows. */
  taskQueue: string;
  /** Known jobs; without it the worker that takes a job checks its name, input and options. */
  registry?: Registry | undefined;
  /** Checks the model of a new destination; without it the worker checks it. */
  models?: ModelMaker | undefined;
  /** Prices that override the known ones. */
  modelPrices?: ModelPrices | undefined;
  /** The folder with the files of tokenizers. */
  tokenizerDir?: string | null | undefined;
  /** How long a start is repeated while the Temporal server does not answer, in ms; default: 15,000, and 20,000 for jobs. */
  patienceMs?: number | undefined;
}

/** Custom format of trackers in answers. */
export interface TaskResponse<S extends z.ZodType = z.ZodType> {
  /** Checks and documents the result of `convert`. */
  schema: S;
  /** Default: the tracker unchanged, from which the schema picks its fields. */
  convert?: (tracker: Tracker) => z.input<S>;
}

/** What the plan of a reindex uses besides the database and the models. */
export interface PlanOptions {
  /** Connections for work that yields to live work; default: those of the router. */
  background?: Db | undefined;
  settings?: Partial<PlanSettings> | undefined;
}

export interface TaskRouterOptions<S extends z.ZodType = z.ZodType> extends AcceptDependencies, CallerOptions {
  /** Limits the router to this type and adds `POST /run`; default: all types. */
  type?: TaskType;
  /** Answer format that replaces the tracker. */
  respond?: TaskResponse<S>;
  /** For the plan of a reindex, which needs `models`. */
  plan?: PlanOptions | undefined;
  /** Logger for errors that are ours or our servers', and for who steered which task. */
  log?: ApiLog;
  /** Interval of the heartbeats of an idle event stream. */
  heartbeatMs?: number | undefined;
  /** Further sites whose pages may call it; pages of any other site are refused. */
  corsOrigins?: readonly string[];
}
