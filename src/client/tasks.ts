import type { z } from 'zod';
import type { AuditRequest } from '../contract/audit.ts';
import type { BudgetUnit } from '../contract/budget.ts';
import { type Evaluation, evaluationSchema } from '../contract/evaluation.ts';
import { NDJSON } from '../contract/http.ts';
import type { VectorIndexTaskRequest } from '../contract/index-patch.ts';
import { type LiveWrites, liveWritesSchema } from '../contract/live-writes.ts';
import type { itemSchema } from '../contract/objects.ts';
import { type PlanReindexRequest, type ReindexPlan, reindexPlanSchema } from '../contract/plan.ts';
import type { ReadShares } from '../contract/read-shares.ts';
import { type ReadsReport, readsSchema } from '../contract/reads.ts';
import { type RollBack, rollBackSchema } from '../contract/roll-back.ts';
import type { TaskStatus } from '../contract/status.ts';
import { type SteerRequest, type SteerResult, type SteerResults, steerResultsSchema } from '../contract/steer-tasks.ts';
import type { SyncRequest } from '../contract/sync-body.ts';
import type {
  deleteIndexSchema,
  deleteSchema,
  EvaluateRequest,
  OnReindex,
  ReindexRequest,
  upsertSchema,
} from '../contract/task-bodies.ts';
import type { TaskType } from '../contract/task-types.ts';
import {
  type FailedItem,
  failedItemsSchema,
  type TaskCounts,
  type TaskInput,
  type TaskList,
  type Tracker,
  taskCountsSchema,
  taskInputSchema,
  taskListSchema,
  trackerSchema,
} from '../contract/tasks.ts';
import { type WatchOptions, watchEvents, watchList } from './events.ts';
import { toNdjson } from './lines.ts';
import { type Query, readAs, type Send } from './request.ts';
import { type Run, type RunOptions, readInfo, waitForEnd } from './run.ts';

export type UpsertRequest = z.input<typeof upsertSchema>;
export type DeleteRequest = z.input<typeof deleteSchema>;
export type DeleteIndexRequest = z.input<typeof deleteIndexSchema>;
export type ItemInput = z.input<typeof itemSchema>;
export type DeletionInput = DeleteRequest['ids'][number];
export type { TaskList };
export type TaskRow = TaskList['tasks'][number];
export type FailedItems = z.output<typeof failedItemsSchema>;

export interface StreamOptions extends RunOptions {
  taskId?: string;
  onReindex?: OnReindex;
  maxAttempts?: number;
}

export interface TaskFilter {
  type?: TaskType;
  /** Type to leave out, if `type` is not given. */
  without?: TaskType;
  status?: TaskStatus;
  /** Name of an index, or of the alias that the task was started with. */
  index?: string;
  parentId?: string;
  /** True: only tasks that have not ended; false: only ones that have. */
  open?: boolean;
  /** True: only tasks with items that they could not write; false: only ones without. */
  hasFailedItems?: boolean;
  /** Created at this moment or later; a string is in ISO 8601. */
  createdAfter?: Date | string;
  /** Created before this moment. */
  createdBefore?: Date | string;
}

export interface TaskPageOptions {
  offset?: number;
  limit?: number;
  cursor?: string | null;
}

export function taskCalls(send: Send, run: Run) {
  async function runLines(
    type: 'upsert' | 'delete',
    lines: AsyncIterable<unknown> | Iterable<unknown>,
    query: Query,
    options: RunOptions,
  ): Promise<Tracker> {
    let failure: { error: unknown } | undefined;
    async function* guarded() {
      try {
        yield* lines;
      } catch (error) {
        failure = { error };
        throw error;
      }
    }
    try {
      return await run(
        `/v1/tasks/${type}/run`,
        { query, body: { type: NDJSON, stream: toNdjson(guarded()) } },
        options,
      );
    } catch (error) {
      // The error is that of the caller's source, not of the connection that was closed because of it.
      throw failure ? failure.error : error;
    }
  }

  async function steer(verb: string, query: Query): Promise<Tracker> {
    return readAs(await send('PUT', `/v1/tasks/${verb}`, { query }), trackerSchema);
  }

  /** Returns one page, newest first. Its cursor leads to the next page, even if tasks have changed in the meantime. */
  async function page(filter: TaskFilter & TaskPageOptions = {}): Promise<TaskList> {
    return readAs(await send('GET', '/v1/tasks/list', { query: { ...filter } }), taskListSchema);
  }

  /** Yields all tasks, newest first, each once, even if they change in the meantime; `limit` is the page size. */
  async function* list({ limit = 100, ...filter }: TaskFilter & { limit?: number } = {}): AsyncGenerator<TaskRow> {
    let cursor: string | null = null;
    do {
      const found: TaskList = await page({ ...filter, cursor, limit });
      yield* found.tasks;
      cursor = found.cursor;
    } while (cursor !== null);
  }

  async function failedPage(taskId: string, cursor: string | null = null): Promise<FailedItems> {
    return readAs(await send('GET', '/v1/tasks/failed-items', { query: { taskId, cursor } }), failedItemsSchema);
  }

  return {
    /** Embeds objects and writes them. Errors: `IndexNotFound`, `IndexDeleting`, `TaskLocked`, `InvalidInput`. */
    upsert: (body: UpsertRequest, options: RunOptions = {}) => run('/v1/tasks/upsert/run', { json: body }, options),
    /** Upserts any number of objects in one task, streaming them as they are read. */
    upsertStream: (
      index: string,
      items: AsyncIterable<ItemInput> | Iterable<ItemInput>,
      { wait, ignoreLock, signal, ...query }: StreamOptions & { ignoreFailedItems?: boolean } = {},
    ) => runLines('upsert', items, { index, ...query }, { wait, ignoreLock, signal }),
    /** Deletes objects and the objects derived from them. */
    delete: (body: DeleteRequest, options: RunOptions = {}) => run('/v1/tasks/delete/run', { json: body }, options),
    deleteStream: (
      index: string,
      ids: AsyncIterable<DeletionInput> | Iterable<DeletionInput>,
      { wait, ignoreLock, signal, ...query }: StreamOptions = {},
    ) => runLines('delete', ids, { index, ...query }, { wait, ignoreLock, signal }),
    reindex: (body: ReindexRequest, options: RunOptions = {}) => run('/v1/tasks/reindex/run', { json: body }, options),
    /**
     * Says what a reindex would do and cost, and what is in its way; starts nothing. It makes a few calls of the model,
     * unless `probe` is false. Errors: `IndexNotFound`, `InvalidInput`.
     */
    async planReindex(body: PlanReindexRequest, options: { signal?: AbortSignal } = {}): Promise<ReindexPlan> {
      const response = await send('POST', '/v1/tasks/reindex/plan', { json: body, ...options });
      return readAs(response, reindexPlanSchema);
    },
    deleteIndex: (body: DeleteIndexRequest, options: RunOptions = {}) =>
      run('/v1/tasks/delete-index/run', { json: body }, options),
    /**
     * Runs a query set on two indexes and compares the results. Errors: `InvalidInput`, `IndexNotFound`,
     * `QuerySetNotFound`, `TaskLocked`.
     */
    evaluate: (body: EvaluateRequest, options: RunOptions = {}) =>
      run('/v1/tasks/evaluate/run', { json: body }, options),
    /** Starts a task that changes how the vectors of an index are indexed. Errors: `IndexNotFound`, `IndexLocked`. */
    changeVectorIndex: (body: VectorIndexTaskRequest, options: RunOptions = {}) =>
      run('/v1/tasks/vector-index/run', { json: body }, options),
    /** Makes the index of a source equal to its table. Errors: `InvalidInput`, `TaskLocked`. */
    sync: (body: SyncRequest, options: RunOptions = {}) => run('/v1/tasks/sync/run', { json: body }, options),
    /** Returns the report of the last evaluation of a task. Errors: `TaskNotFound`, `EvaluationNotFound`. */
    async evaluation(taskId: string): Promise<Evaluation> {
      return readAs(await send('GET', '/v1/tasks/evaluation', { query: { taskId } }), evaluationSchema);
    },
    /**
     * Looks for broken objects in an index, or with `source` for differences between a table and its index, and repairs
     * them if asked to. The tracker's `data` has the counts by kind; `failedItems` lists the first ones. Errors:
     * `InvalidInput`, `IndexNotFound`, `IndexDeleting`, `SourceNotFound`, `TaskLocked`.
     */
    audit: (body: AuditRequest, options: RunOptions = {}) => run('/v1/tasks/audit/run', { json: body }, options),
    /** Returns the tracker of a task. Error: `TaskNotFound`. */
    info: (taskId: string) => readInfo(send, taskId),
    /** Counts what users have written while a reindex runs. Error: `TaskNotFound`. */
    async liveWrites(taskId: string): Promise<LiveWrites> {
      return readAs(await send('GET', '/v1/tasks/live-writes', { query: { taskId } }), liveWritesSchema);
    },
    /** Returns what a task was started with. Error: `TaskNotFound`. */
    async input(taskId: string): Promise<TaskInput> {
      return readAs(await send('GET', '/v1/tasks/input', { query: { taskId } }), taskInputSchema);
    },
    page,
    list,
    /** Yields one page now and after each change; reconnects after lost connections. */
    watchPage: (filter: TaskFilter & TaskPageOptions = {}, options: WatchOptions = {}) =>
      watchList(send, { ...filter }, options),
    /** Counts tasks, in total and by status. */
    async counts(filter: TaskFilter = {}): Promise<TaskCounts> {
      return readAs(await send('GET', '/v1/tasks/counts', { query: { ...filter } }), taskCountsSchema);
    },
    /**
     * Starts a task that cancels, restarts, pauses, resumes or ignores all tasks that match a filter; `dryRun` only
     * reports what it would do. Errors: `InvalidInput` without any condition, `TaskLocked`.
     */
    steerAll: (body: SteerRequest, options: RunOptions = {}) => run('/v1/tasks/steer/run', { json: body }, options),
    /** Yields what `steerAll` did to each task, by id, reading pages on demand. */
    async *steerResults(taskId: string): AsyncGenerator<SteerResult> {
      let cursor: string | null = null;
      do {
        const query: Query = { taskId, cursor, limit: 1_000 };
        const page: SteerResults = await readAs(
          await send('GET', '/v1/tasks/steer/results', { query }),
          steerResultsSchema,
        );
        yield* page.results;
        cursor = page.cursor;
      } while (cursor !== null);
    },
    /** This and the next four calls return the resulting tracker. Errors: `TaskNotFound`, `TaskClosed`. */
    restart: (taskId: string, options: { force?: boolean; onlyFailed?: boolean } = {}) =>
      steer('restart', { taskId, ...options }),
    cancel: (taskId: string, reason?: string) => steer('cancel', { taskId, reason }),
    pause: (taskId: string) => steer('pause', { taskId }),
    resume: (taskId: string) => steer('resume', { taskId }),
    ignore: (taskId: string, reason?: string) => steer('ignore', { taskId, reason }),
    /** Sets the max. number of objects that a reindex copies per second; null for no limit. */
    throttle: (taskId: string, ratePerSecond: number | null) =>
      steer('throttle', { taskId, ratePerSecond: ratePerSecond ?? 'none' }),
    /**
     * Sets the shares of live searches that run on the index that a reindex builds, or keeps current after the switch; one
     * that is not given stays. Errors: `InvalidInput`, `TaskClosed`.
     */
    setReads: (taskId: string, { shadow, canary }: { [Name in keyof ReadShares]?: number | undefined }) =>
      steer('reads', { taskId, shadow, canary }),
    /** Returns the figures of the shadow and canary reads of a task. Errors: `TaskNotFound`, `ReadsNotFound`. */
    async reads(taskId: string): Promise<ReadsReport> {
      return readAs(await send('GET', '/v1/tasks/reads', { query: { taskId } }), readsSchema);
    },
    /**
     * Sets how much a reindex may use of its model; null removes a limit, an absent one stays. Resumes a reindex whose
     * budget was used up. Errors: `InvalidInput` if no limit is given, or `usd` with an unknown price.
     */
    budget: (taskId: string, limits: Partial<Record<BudgetUnit, number | null>>) => {
      const given = Object.entries(limits).map(([unit, limit]) => [unit, limit === null ? 'none' : limit]);
      return steer('budget', { taskId, ...Object.fromEntries(given) });
    },
    /** Switches the alias of a reindex that waits for an approval. Errors: `NotAwaitingApproval`, `TaskClosed`. */
    approve: (taskId: string, reason?: string) => steer('approve', { taskId, reason }),
    /** Ends a reindex that waits for an approval, without a switch. Errors: `NotAwaitingApproval`, `TaskClosed`. */
    reject: (taskId: string, reason?: string) => steer('reject', { taskId, reason }),
    /**
     * Returns what a roll back of a reindex would do, and what was written since its switch. Errors: `InvalidInput`,
     * `RollBackRefused`, `TaskNotFound`.
     */
    async rollBackOf(taskId: string): Promise<RollBack> {
      return readAs(await send('GET', '/v1/tasks/roll-back', { query: { taskId } }), rollBackSchema);
    },
    /**
     * Lets the old index of a reindex serve again, if it is kept current; `to` names the new one to roll forward. A
     * repeated call changes nothing. Returns what the next roll back would do, and this one as `last`. Errors:
     * `InvalidInput`, `RollBackRefused`, `NotCurrent`, `TaskNotFound`.
     */
    async rollBack(taskId: string, options: { to?: string; reason?: string } = {}): Promise<RollBack> {
      return readAs(await send('PUT', '/v1/tasks/roll-back', { query: { taskId, ...options } }), rollBackSchema);
    },
    /** Returns one page of the items that a task could not write, with their total number. */
    failedPage,
    /** Yields the items that a task could not write, reading pages on demand. */
    async *failedItems(taskId: string): AsyncGenerator<FailedItem> {
      let cursor: string | null = null;
      do {
        const page: FailedItems = await failedPage(taskId, cursor);
        yield* page.items;
        cursor = page.cursor;
      } while (cursor !== null);
    },
    /** Yields the tracker at each change, until the task has ended; reconnects after lost connections. */
    events: (taskId: string, options: WatchOptions = {}) => watchEvents(send, taskId, options),
    /** Returns the tracker at the end of a task, or after `seconds`, whatever its status. */
    wait: (taskId: string, options: { seconds?: number; signal?: AbortSignal } = {}) =>
      waitForEnd(send, taskId, options),
  };
}
