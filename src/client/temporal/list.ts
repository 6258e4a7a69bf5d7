import type { Client } from '@temporalio/client';
import { executionInfoFromRaw } from '@temporalio/client/lib/helpers.js';
import { decodeTypedSearchAttributes } from '@temporalio/common/lib/converter/payload-search-attributes.js';
import { ReembedError } from '../../contract/errors.ts';
import { nameSchema } from '../../contract/indexes.ts';
import { LIMITS } from '../../contract/limits.ts';
import { TASK_STATUSES, type TaskStatus } from '../../contract/status.ts';
import type { TaskType } from '../../contract/tasks.ts';
import { TASK_TYPES } from '../../contract/tasks.ts';
import { callTemporal } from './call.ts';
import { fromCursor, toCursor } from './cursor.ts';
import { statusCondition } from './execution-status.ts';
import { taskReplacesKey, WORKFLOW_OF } from './names.ts';
import { rowOf, type TaskRow, typeOf } from './rows.ts';

export interface TaskFilter {
  /** All but the slices of reindexes if not given, and these too with `parentId`. */
  types?: readonly TaskType[];
  status?: TaskStatus;
  /** Name of an index, or of the alias the task was given. */
  index?: string;
  parentId?: string;
  /** Of a job: the name of its definition. */
  name?: string;
  /** Only those that have not ended. */
  open?: boolean;
}

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

/** Lists of very many tasks take their time. */
const LIST_TIMEOUT_MS = 15_000;

/** A replaced run is surely gone after this time. */
const REMOVAL_MS = 10 * 60_000;

/**
 * Tasks, as far as Temporal gives an order: those that run first, then those that ended last. Each task once, since the
 * run before a restart is removed. What has just changed may be missing for a moment: lists are for people.
 * Errors: `InvalidInput` for a cursor of another list or an index that cannot be one, `TemporalUnavailable`.
 */
export async function listTasks(client: Client, page: TaskPage = {}): Promise<TaskList> {
  const filter = queryOf(page);
  const query = and(filter, await notReplaced(client));
  const limit = page.limit ?? DEFAULT_LIMIT;
  const [tasks, total] = await Promise.all([
    readPage(client, query, { ...page, limit }, filter),
    countQuery(client, query),
  ]);
  return { ...tasks, total };
}

/**
 * All tasks of a filter, one by one; `limit` (1,000) is how many are asked for at once. What starts or ends meanwhile may
 * be missed. Errors as of `listTasks`.
 *
 * @example
 * for await (const { id } of eachTask(client, { status: 'exhausted' })) await restartTask(client, id, { force: true });
 */
export async function* eachTask(
  client: Client,
  { limit = LIMITS.listLimit, ...filter }: TaskFilter & { limit?: number } = {},
): AsyncGenerator<TaskRow> {
  const query = queryOf(filter);
  let cursor: string | null = null;
  do {
    // Asked anew for each page: a task may be restarted by whoever walks the list.
    const current = and(query, await notReplaced(client));
    const page: Omit<TaskList, 'total'> = await readPage(client, current, { limit, cursor }, query);
    yield* page.tasks;
    cursor = page.cursor;
  } while (cursor !== null);
}

/** How many tasks there are, and how many in each status. */
export async function countTasks(
  client: Client,
  filter: TaskFilter = {},
): Promise<{ total: number; byStatus: Record<TaskStatus, number> }> {
  const current = await notReplaced(client);
  const wanted = filter.status === undefined ? TASK_STATUSES : [filter.status];
  const counts = new Map(
    await Promise.all(
      wanted.map(async (status) => {
        const query = and(queryOf({ ...filter, status }), current);
        return [status, await countQuery(client, query)] as const;
      }),
    ),
  );
  const byStatus = Object.fromEntries(TASK_STATUSES.map((status) => [status, counts.get(status) ?? 0]));
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return { total, byStatus: byStatus as Record<TaskStatus, number> };
}

async function readPage(client: Client, query: string, page: TaskPage & { limit: number }, filter: string) {
  let token = fromCursor(filter, page.cursor);
  // Temporal pages by token only: what is to be skipped is read and thrown away, in pages as large as it gives.
  for (let left = page.offset ?? 0; left > 0; ) {
    const skipped = await listExecutions(client, query, Math.min(left, LIMITS.listLimit), token);
    left -= skipped.executions.length;
    token = skipped.token;
    if (token.length === 0) return { tasks: [], cursor: null };
  }
  const found = await listExecutions(client, query, page.limit, token);
  const { namespace, loadedDataConverter } = client.options;
  const infos = await Promise.all(
    found.executions.map((raw) => executionInfoFromRaw(raw, loadedDataConverter, raw, namespace)),
  );
  const tasks = infos.flatMap((info) => {
    const type = typeOf(info);
    return type === undefined ? [] : [rowOf(info, type)];
  });
  return { tasks, cursor: toCursor(filter, found.token) };
}

async function listExecutions(client: Client, query: string, pageSize: number, nextPageToken: Uint8Array) {
  const { namespace } = client.options;
  const request = { namespace, query, pageSize, nextPageToken };
  const answer = await callTemporal(client, '', () => client.workflowService.listWorkflowExecutions(request), {
    timeoutMs: LIST_TIMEOUT_MS,
  });
  return { executions: answer.executions ?? [], token: answer.nextPageToken ?? new Uint8Array() };
}

async function countQuery(client: Client, query: string): Promise<number> {
  const { namespace } = client.options;
  const call = () => client.workflowService.countWorkflowExecutions({ namespace, query });
  return Number((await callTemporal(client, '', call, { timeoutMs: LIST_TIMEOUT_MS })).count ?? 0);
}

/**
 * Leaves out the runs that were replaced by a new one of the same task just now: they are being removed, which takes
 * Temporal up to a minute.
 */
async function notReplaced(client: Client): Promise<string | undefined> {
  const since = new Date(Date.now() - REMOVAL_MS).toISOString();
  const query = `TaskReplaces IS NOT NULL AND StartTime > '${since}'`;
  const { executions } = await listExecutions(client, query, LIMITS.listLimit, new Uint8Array());
  const replaced = executions.flatMap(
    ({ searchAttributes }) => decodeTypedSearchAttributes(searchAttributes?.indexedFields).get(taskReplacesKey) ?? [],
  );
  return replaced.length === 0 ? undefined : `RunId NOT IN (${replaced.map(quote).join(', ')})`;
}

function and(...conditions: (string | undefined)[]): string {
  return conditions.filter((condition) => condition !== undefined).join(' AND ');
}

/** The filter in Temporal's query language. Runs that went on as another one are not tasks of their own. */
export function queryOf({ types, status, index, parentId, name, open }: TaskFilter): string {
  // Not for Temporal to see: its SQLite store breaks on a quote in the value of a list attribute, however escaped.
  if (index !== undefined && !nameSchema.safeParse(index).success)
    throw badField('index', 'must be the name of an index');
  const shown = types ?? TASK_TYPES.filter((type) => parentId !== undefined || type !== 'reindex-slice');
  return [
    `WorkflowType IN (${shown.map((type) => quote(WORKFLOW_OF[type])).join(', ')})`,
    `ExecutionStatus != 'ContinuedAsNew'`,
    status !== undefined && statusCondition(status),
    index !== undefined && `TaskIndex = ${quote(index)}`,
    name !== undefined && `JobName = ${quote(name)}`,
    open === true && `ExecutionStatus = 'Running'`,
    // A child that was restarted is no child to Temporal any more, and one that has not said so yet is none to us.
    parentId !== undefined && `(TaskParent = ${quote(parentId)} OR ParentWorkflowId = ${quote(parentId)})`,
  ]
    .filter((condition) => condition !== false)
    .join(' AND ');
}

/** A text as a literal of the query language, which is MySQL's: a backslash escapes, a quote ends. */
function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function badField(path: string, message: string): ReembedError {
  return new ReembedError('InvalidInput', `${path}: ${message}`, { issues: [{ path, message }] });
}
