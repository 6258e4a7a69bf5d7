import type { z } from 'zod';
import { NDJSON } from '../../contract/bodies.ts';
import type { itemSchema } from '../../contract/objects.ts';
import type { TaskStatus } from '../../contract/status.ts';
import {
  type deleteIndexSchema,
  type deleteSchema,
  type FailedItem,
  failedItemsSchema,
  type OnReindex,
  type ReindexRequest,
  type TaskType,
  type Tracker,
  taskListSchema,
  trackerSchema,
  type upsertSchema,
} from '../../contract/tasks.ts';
import { watchEvents } from './events.ts';
import { toNdjson } from './lines.ts';
import { type Query, type RequestOptions, readAs, type Send } from './request.ts';

export type UpsertRequest = z.input<typeof upsertSchema>;
export type DeleteRequest = z.input<typeof deleteSchema>;
export type DeleteIndexRequest = z.input<typeof deleteIndexSchema>;
export type ItemInput = z.input<typeof itemSchema>;
export type DeletionInput = DeleteRequest['ids'][number];
type TaskList = z.output<typeof taskListSchema>;
type FailedItems = z.output<typeof failedItemsSchema>;
type RunnableType = Exclude<TaskType, 'reindex-slice'>;

export interface RunOptions {
  /** Answer at the end of the task: as long as it takes, or after this many seconds at the latest. */
  wait?: boolean | number;
  /** End the task of the same id first, if there is one. */
  ignoreLock?: boolean;
  signal?: AbortSignal;
}

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
  offset?: number;
  limit?: number;
  cursor?: string | null;
}

/** Of one call: a proxy in between may not hold a request for longer. Waiting goes on by events. */
const FIRST_WAIT_SECONDS = 30;

export function taskCalls(send: Send) {
  const events = (taskId: string, options: { signal?: AbortSignal } = {}) => watchEvents(send, taskId, options);

  async function info(taskId: string): Promise<Tracker> {
    return readAs(await send('GET', '/v1/tasks/info', { query: { taskId } }), trackerSchema);
  }

  /** Waits for the end of a task, or for so many seconds, and gives its tracker, whatever it tells. */
  async function wait(taskId: string, options: { seconds?: number; signal?: AbortSignal } = {}): Promise<Tracker> {
    const late = options.seconds === undefined ? undefined : AbortSignal.timeout(Math.ceil(options.seconds * 1_000));
    const signals = [late, options.signal].filter((signal) => signal !== undefined);
    let last: Tracker | undefined;
    try {
      for await (const tracker of events(taskId, { signal: AbortSignal.any(signals) })) last = tracker;
    } catch (error) {
      if (!late?.aborted || options.signal?.aborted) throw error;
    }
    return last ?? info(taskId);
  }

  async function run(type: RunnableType, request: RequestOptions, options: RunOptions): Promise<Tracker> {
    const { wait: waits = false, ignoreLock, signal } = options;
    const start = performance.now();
    const seconds = waits === true ? Number.POSITIVE_INFINITY : Number(waits);
    const timeout = Math.min(seconds, FIRST_WAIT_SECONDS);
    const query: Query = { ...request.query, ignoreLock, ...(waits !== false && { wait: true, timeout }) };
    const response = await send('POST', `/v1/tasks/${type}/run`, { ...request, query, signal });
    const tracker = await readAs(response, trackerSchema);
    const left = seconds - (performance.now() - start) / 1_000;
    if (response.status === 200 || waits === false || left <= 0) return tracker;
    return wait(tracker.id, { signal, seconds: waits === true ? undefined : left });
  }

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
      return await run(type, { query, body: { type: NDJSON, stream: toNdjson(guarded()) } }, options);
    } catch (error) {
      // What went wrong is the caller's own source, not the connection that was closed for it.
      throw failure ? failure.error : error;
    }
  }

  async function steer(verb: string, query: Query): Promise<Tracker> {
    return readAs(await send('PUT', `/v1/tasks/${verb}`, { query }), trackerSchema);
  }

  async function failedPage(taskId: string, cursor: string | null): Promise<FailedItems> {
    return readAs(await send('GET', '/v1/tasks/failed-items', { query: { taskId, cursor } }), failedItemsSchema);
  }

  return {
    /** Embeds objects and writes them. Errors: `IndexNotFound`, `IndexDeleting`, `TaskLocked`, `InvalidInput`. */
    upsert: (body: UpsertRequest, options: RunOptions = {}) => run('upsert', { json: body }, options),
    /** Upserts any number of objects in one task, sent while they are read. */
    upsertStream: (
      index: string,
      items: AsyncIterable<ItemInput> | Iterable<ItemInput>,
      { wait, ignoreLock, signal, ...query }: StreamOptions & { ignoreFailedItems?: boolean } = {},
    ) => runLines('upsert', items, { index, ...query }, { wait, ignoreLock, signal }),
    /** Deletes objects, and what is derived from them. */
    delete: (body: DeleteRequest, options: RunOptions = {}) => run('delete', { json: body }, options),
    deleteStream: (
      index: string,
      ids: AsyncIterable<DeletionInput> | Iterable<DeletionInput>,
      { wait, ignoreLock, signal, ...query }: StreamOptions = {},
    ) => runLines('delete', ids, { index, ...query }, { wait, ignoreLock, signal }),
    reindex: (body: ReindexRequest, options: RunOptions = {}) => run('reindex', { json: body }, options),
    deleteIndex: (body: DeleteIndexRequest, options: RunOptions = {}) => run('delete-index', { json: body }, options),
    /** The tracker of a task. Error: `TaskNotFound`. */
    info,
    async list(filter: TaskFilter = {}): Promise<TaskList> {
      return readAs(await send('GET', '/v1/tasks/list', { query: { ...filter } }), taskListSchema);
    },
    /** Errors of these: `TaskNotFound`, `TaskClosed`. Each gives the tracker after it. */
    restart: (taskId: string, { force }: { force?: boolean } = {}) => steer('restart', { taskId, force }),
    cancel: (taskId: string, reason?: string) => steer('cancel', { taskId, reason }),
    pause: (taskId: string) => steer('pause', { taskId }),
    resume: (taskId: string) => steer('resume', { taskId }),
    ignore: (taskId: string, reason?: string) => steer('ignore', { taskId, reason }),
    /** Most objects a reindex copies in a second; null for no limit. */
    throttle: (taskId: string, ratePerSecond: number | null) =>
      steer('throttle', { taskId, ratePerSecond: ratePerSecond ?? 'none' }),
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
    events,
    wait,
  };
}
