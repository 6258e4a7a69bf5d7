import type { z } from 'zod';
import { NDJSON } from '../../contract/bodies.ts';
import type { itemSchema } from '../../contract/objects.ts';
import type { TaskStatus } from '../../contract/status.ts';
import {
  type SteerRequest,
  type SteerResult,
  type SteerResults,
  steerResultsSchema,
} from '../../contract/steer-tasks.ts';
import {
  type deleteIndexSchema,
  type deleteSchema,
  type FailedItem,
  failedItemsSchema,
  type OnReindex,
  type ReindexRequest,
  type TaskCounts,
  type TaskList,
  type TaskType,
  type Tracker,
  taskCountsSchema,
  taskListSchema,
  trackerSchema,
  type upsertSchema,
} from '../../contract/tasks.ts';
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
  status?: TaskStatus;
  /** Name of an index, or of the alias the task was given. */
  index?: string;
  parentId?: string;
  /** Created at this moment or later; a text as in ISO 8601. */
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
      // What went wrong is the caller's own source, not the connection that was closed for it.
      throw failure ? failure.error : error;
    }
  }

  async function steer(verb: string, query: Query): Promise<Tracker> {
    return readAs(await send('PUT', `/v1/tasks/${verb}`, { query }), trackerSchema);
  }

  /** One page, newest first. From its cursor the next one goes on, whatever has changed meanwhile. */
  async function page(filter: TaskFilter & TaskPageOptions = {}): Promise<TaskList> {
    return readAs(await send('GET', '/v1/tasks/list', { query: { ...filter } }), taskListSchema);
  }

  /** All tasks, newest first, each once whatever changes meanwhile; `limit` is how many are asked for at once. */
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
    /** Upserts any number of objects in one task, sent while they are read. */
    upsertStream: (
      index: string,
      items: AsyncIterable<ItemInput> | Iterable<ItemInput>,
      { wait, ignoreLock, signal, ...query }: StreamOptions & { ignoreFailedItems?: boolean } = {},
    ) => runLines('upsert', items, { index, ...query }, { wait, ignoreLock, signal }),
    /** Deletes objects, and what is derived from them. */
    delete: (body: DeleteRequest, options: RunOptions = {}) => run('/v1/tasks/delete/run', { json: body }, options),
    deleteStream: (
      index: string,
      ids: AsyncIterable<DeletionInput> | Iterable<DeletionInput>,
      { wait, ignoreLock, signal, ...query }: StreamOptions = {},
    ) => runLines('delete', ids, { index, ...query }, { wait, ignoreLock, signal }),
    reindex: (body: ReindexRequest, options: RunOptions = {}) => run('/v1/tasks/reindex/run', { json: body }, options),
    deleteIndex: (body: DeleteIndexRequest, options: RunOptions = {}) =>
      run('/v1/tasks/delete-index/run', { json: body }, options),
    /** The tracker of a task. Error: `TaskNotFound`. */
    info: (taskId: string) => readInfo(send, taskId),
    page,
    list,
    /** One page as it is, and again each time it has changed; lost connections are made anew. */
    watchPage: (filter: TaskFilter & TaskPageOptions = {}, options: WatchOptions = {}) =>
      watchList(send, { ...filter }, options),
    /** How many tasks there are, and how many in each status. */
    async counts(filter: TaskFilter = {}): Promise<TaskCounts> {
      return readAs(await send('GET', '/v1/tasks/counts', { query: { ...filter } }), taskCountsSchema);
    },
    /**
     * Cancels, restarts, pauses, resumes or ignores all tasks that fit a filter, as a task; `dryRun` only tells what it
     * would do. Errors: `InvalidInput` without any condition, `TaskLocked`.
     */
    steerAll: (body: SteerRequest, options: RunOptions = {}) => run('/v1/tasks/steer/run', { json: body }, options),
    /** What `steerAll` did to each task, by id, page by page as it is asked for. */
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
    /** Errors of these: `TaskNotFound`, `TaskClosed`. Each gives the tracker after it. */
    restart: (taskId: string, options: { force?: boolean; onlyFailed?: boolean } = {}) =>
      steer('restart', { taskId, ...options }),
    cancel: (taskId: string, reason?: string) => steer('cancel', { taskId, reason }),
    pause: (taskId: string) => steer('pause', { taskId }),
    resume: (taskId: string) => steer('resume', { taskId }),
    ignore: (taskId: string, reason?: string) => steer('ignore', { taskId, reason }),
    /** Most objects a reindex copies in a second; null for no limit. */
    throttle: (taskId: string, ratePerSecond: number | null) =>
      steer('throttle', { taskId, ratePerSecond: ratePerSecond ?? 'none' }),
    /** One page of what a task could not write, with how many there are in all. */
    failedPage,
    /** What a task could not write, page by page as it is asked for. */
    async *failedItems(taskId: string): AsyncGenerator<FailedItem> {
      let cursor: string | null = null;
      do {
        const page: FailedItems = await failedPage(taskId, cursor);
        yield* page.items;
        cursor = page.cursor;
      } while (cursor !== null);
    },
    /** The tracker at each change, until the task has ended; lost connections are made anew. */
    events: (taskId: string, options: WatchOptions = {}) => watchEvents(send, taskId, options),
    /** The tracker at the end of a task, or after so many seconds, whatever it tells then. */
    wait: (taskId: string, options: { seconds?: number; signal?: AbortSignal } = {}) =>
      waitForEnd(send, taskId, options),
  };
}
