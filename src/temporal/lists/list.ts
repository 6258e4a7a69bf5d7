import type { Client } from '@temporalio/client';
import { LIMITS } from '../../contract/limits.ts';
import { TASK_STATUSES } from '../../contract/status.ts';
import type { TaskCounts } from '../../contract/tasks.ts';
import { rowOf, type TaskRow, typeOf } from '../tasks/list-row.ts';
import { fromCursor, toCursor } from './cursor.ts';
import { and, type TaskFilter, tasksQuery } from './query.ts';
import { type Place, type Placed, readNewest } from './stable-order.ts';
import { countExecutions, decodeExecution, notReplaced } from './visibility.ts';

export interface TaskPage extends TaskFilter {
  /** Tasks to skip, from the beginning or from the cursor. */
  offset?: number;
  limit?: number;
  /** Cursor from a previous page. */
  cursor?: string | null;
}

export interface TaskList {
  tasks: TaskRow[];
  total: number;
  cursor: string | null;
}

const DEFAULT_LIMIT = 50;

/**
 * Lists tasks, newest first, each once. Following the cursors to the end returns every task that matches throughout
 * exactly once, even while tasks end, are restarted or created, because the order is by creation time, which does not
 * change. The latest changes may not be visible yet. Errors: `InvalidInput` for a cursor of another list or an invalid
 * index name, `TemporalUnavailable`.
 */
export async function listTasks(client: Client, page: TaskPage = {}): Promise<TaskList> {
  const filter = tasksQuery(page);
  fromCursor(filter, page.cursor); // rejects a bad cursor before any request
  const query = and(filter, await notReplaced(client));
  const [tasks, total] = await Promise.all([readPage(client, query, filter, page), countExecutions(client, query)]);
  return { ...tasks, total };
}

/**
 * Yields all tasks that match a filter, in the order of `listTasks`; `limit` is the page size (default: 1,000). Errors:
 * those of `listTasks`.
 *
 * @example
 * const filter = { statuses: ['exhausted'] } as const;
 * for await (const { id } of eachTask(client, filter)) await restartTask(client, id, { force: true });
 */
export async function* eachTask(
  client: Client,
  { limit = LIMITS.listLimit, ...filter }: TaskFilter & { limit?: number } = {},
): AsyncGenerator<TaskRow> {
  const wanted = tasksQuery(filter);
  let cursor: string | null = null;
  do {
    // Read again for each page, because the caller may restart tasks of the list.
    const query = and(wanted, await notReplaced(client));
    const page: Omit<TaskList, 'total'> = await readPage(client, query, wanted, { limit, cursor });
    yield* page.tasks;
    cursor = page.cursor;
  } while (cursor !== null);
}

/** Counts tasks, in total and by status. Errors: those of `listTasks`. */
export async function countTasks(client: Client, filter: TaskFilter = {}): Promise<TaskCounts> {
  const wanted = filter.statuses ?? TASK_STATUSES;
  const queries = wanted.map((status) => tasksQuery({ ...filter, statuses: [status] }));
  const current = await notReplaced(client);
  const counts = await Promise.all(queries.map((query) => countExecutions(client, and(query, current))));
  const byStatus = Object.fromEntries(TASK_STATUSES.map((status) => [status, counts[wanted.indexOf(status)] ?? 0]));
  return { total: counts.reduce((sum, count) => sum + count, 0), byStatus: byStatus as TaskCounts['byStatus'] };
}

async function readPage(
  client: Client,
  query: string,
  filter: string,
  { cursor, offset = 0, limit = DEFAULT_LIMIT }: Pick<TaskPage, 'cursor' | 'offset' | 'limit'>,
): Promise<Omit<TaskList, 'total'>> {
  const { place, paceMs } = readToken(fromCursor(filter, cursor));
  let start = place;
  for (let left = offset; left > 0; left -= LIMITS.listLimit) {
    const skipped = await readNewest(client, query, start, Math.min(left, LIMITS.listLimit));
    if (skipped.length < Math.min(left, LIMITS.listLimit)) return { tasks: [], cursor: null };
    start = skipped.at(-1);
  }
  // One more than shown, to know whether there are more.
  const found = await readNewest(client, query, start, limit + 1, offset === 0 ? paceMs : undefined);
  const shown = found.slice(0, limit);
  const rows = await Promise.all(shown.map((one) => toRow(client, one)));
  return {
    tasks: rows.flatMap((row) => row ?? []),
    cursor: found.length > limit ? toCursor(filter, tokenOf(shown)) : null,
  };
}

async function toRow(client: Client, { raw }: Placed): Promise<TaskRow | undefined> {
  const execution = await decodeExecution(client, raw);
  const type = typeOf(execution);
  return type && rowOf(execution, type);
}

/** Encodes where a page ended and the average time between its tasks. */
function tokenOf(shown: readonly Place[]): Uint8Array {
  const [first, last] = [shown[0], shown.at(-1)] as [Place, Place];
  const paceMs = Math.ceil((first.createdMs - last.createdMs) / shown.length);
  return Buffer.from(`${last.createdMs}/${paceMs}/${last.id}`);
}

function readToken(token: Uint8Array): { place?: Place; paceMs?: number } {
  const [, createdMs, paceMs, id = ''] = /^(\d+)\/(\d+)\/(.*)$/s.exec(Buffer.from(token).toString()) ?? [];
  return createdMs === undefined ? {} : { place: { createdMs: Number(createdMs), id }, paceMs: Number(paceMs) };
}
