import type { Client } from '@temporalio/client';
import { LIMITS } from '../../contract/limits.ts';
import { TASK_STATUSES } from '../../contract/status.ts';
import type { TaskCounts } from '../../contract/tasks.ts';
import { fromCursor, toCursor } from './cursor.ts';
import { type Place, type Placed, readNewest } from './newest.ts';
import { rowOf, type TaskRow, typeOf } from './rows.ts';
import { and, queryOf, type TaskFilter } from './task-filter.ts';
import { countExecutions, decodeExecution, notReplaced } from './visibility.ts';

export interface TaskPage extends TaskFilter {
  /** Tasks to leave out before the first one; with a cursor, after it. */
  offset?: number;
  limit?: number;
  /** Of an earlier answer: where this one goes on. */
  cursor?: string | null;
}

export interface TaskList {
  tasks: TaskRow[];
  total: number;
  cursor: string | null;
}

const DEFAULT_LIMIT = 50;

/**
 * Tasks, newest first, each once. Whoever follows the cursors to the end gets every task that fits all the while exactly
 * once, also while tasks end, are restarted or come in: the order is that of their creation, which does not change. What
 * has changed in the last moment may not show yet. Errors: `InvalidInput` for a cursor of another list or an index that
 * cannot be one, `TemporalUnavailable`.
 */
export async function listTasks(client: Client, page: TaskPage = {}): Promise<TaskList> {
  const filter = queryOf(page);
  fromCursor(filter, page.cursor); // what is wrong is told before anything is asked
  const query = and(filter, await notReplaced(client));
  const [tasks, total] = await Promise.all([readPage(client, query, filter, page), countExecutions(client, query)]);
  return { ...tasks, total };
}

/**
 * All tasks of a filter in the order of `listTasks`, one by one; `limit` (1,000) is how many are asked for at once.
 * Errors as of `listTasks`.
 *
 * @example
 * const filter = { statuses: ['exhausted'] } as const;
 * for await (const { id } of eachTask(client, filter)) await restartTask(client, id, { force: true });
 */
export async function* eachTask(
  client: Client,
  { limit = LIMITS.listLimit, ...filter }: TaskFilter & { limit?: number } = {},
): AsyncGenerator<TaskRow> {
  const wanted = queryOf(filter);
  let cursor: string | null = null;
  do {
    // Asked anew for each page: a task may be restarted by whoever walks the list.
    const query = and(wanted, await notReplaced(client));
    const page: Omit<TaskList, 'total'> = await readPage(client, query, wanted, { limit, cursor });
    yield* page.tasks;
    cursor = page.cursor;
  } while (cursor !== null);
}

/** How many tasks there are, and how many in each status. Errors as of `listTasks`. */
export async function countTasks(client: Client, filter: TaskFilter = {}): Promise<TaskCounts> {
  const wanted = filter.statuses ?? TASK_STATUSES;
  const queries = wanted.map((status) => queryOf({ ...filter, statuses: [status] }));
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
  // One more than is shown, to know whether there is more.
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

/** Where a page has ended, and how dense its tasks lay. */
function tokenOf(shown: readonly Place[]): Uint8Array {
  const [first, last] = [shown[0], shown.at(-1)] as [Place, Place];
  const paceMs = Math.ceil((first.createdMs - last.createdMs) / shown.length);
  return Buffer.from(`${last.createdMs}/${paceMs}/${last.id}`);
}

function readToken(token: Uint8Array): { place?: Place; paceMs?: number } {
  const [, createdMs, paceMs, id = ''] = /^(\d+)\/(\d+)\/(.*)$/s.exec(Buffer.from(token).toString()) ?? [];
  return createdMs === undefined ? {} : { place: { createdMs: Number(createdMs), id }, paceMs: Number(paceMs) };
}
