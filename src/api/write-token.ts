import type { Client } from '@temporalio/client';
import { invalidField, ReembedError } from '../contract/errors.ts';
import { KEYS } from '../contract/search-attributes.ts';
import { readTransactionToken, type WriteState } from '../contract/write-token.ts';
import { resolveIndex } from '../store/indexes.ts';
import type { IndexRow } from '../store/schema.ts';
import { searchTimeout } from '../store/search-clock.ts';
import { awaitTask, type DescribedTask, describeTask } from '../temporal/index.ts';
import { readArguments } from '../temporal/tasks/input.ts';
import type { SearchLimit } from './search-limit.ts';
import { awaitTransaction, type TransactionTokens } from './transaction-token.ts';

export interface WriteTokens extends TransactionTokens {
  client: Client;
}

/** A wait for a write ends this long before the time of its search, so that the answer names the write. */
const MARGIN_MS = 50;

/**
 * Waits until a write is searchable in the index behind a name, or has failed, for at most `timeoutMs`. A write that has
 * ended is in the index that serves: an alias moves only to an index that has all writes. Errors: `IndexNotFound`,
 * `TaskNotFound`, also long after the write, `InvalidInput` for the token of something else, `TemporalUnavailable`.
 */
export async function awaitWrite(
  { db, client, sourceDatabases }: WriteTokens,
  name: string,
  token: string,
  { timeoutMs, signal, field = 'token' }: { timeoutMs: number; signal: AbortSignal; field?: string },
): Promise<WriteState> {
  const transaction = readTransactionToken(token);
  if (transaction) {
    return awaitTransaction({ db, sourceDatabases }, name, transaction, { timeoutMs, signal, field });
  }
  const serving = await resolveIndex(db, name);
  const task = await describeTask(client, token);
  await requireWriteTo({ db, client }, task, { name, serving }, field);
  const { tracker, ended } = await awaitTask(client, token, timeoutMs, signal);
  const { failed } = tracker.progress;
  return {
    token,
    index: (await resolveIndex(db, name)).name,
    searchable: ended && tracker.status === 'done' && failed === 0,
    ended,
    status: tracker.status,
    failed,
    detail: tracker.detail,
  };
}

async function requireWriteTo(
  { db, client }: Pick<WriteTokens, 'db' | 'client'>,
  task: DescribedTask,
  { name, serving }: { name: string; serving: IndexRow },
  field: string,
): Promise<void> {
  const { taskType, typedSearchAttributes } = task;
  if (taskType !== 'upsert' && taskType !== 'delete') {
    throw invalidField(field, `must be the id of an upsert or a delete, not of a task of type ${taskType}`);
  }
  const names = typedSearchAttributes.get(KEYS.indexes) ?? [];
  if (names.includes(serving.name)) return requireBoundTo(client, task, serving, field);
  if (names.includes(name)) return;
  for (const other of names) {
    const index = await resolveIndex(db, other).catch(() => undefined);
    if (index?.no === serving.no) return;
  }
  throw invalidField(field, `must be of a write to ${name}, not to ${names.join(', ')}`);
}

/** The clocks of Temporal and of the database may differ by this. */
const SKEW_MS = 3_600_000;

/** Refuses a write to an earlier index of the same name. Only one to an index that is as young may be. */
async function requireBoundTo(client: Client, task: DescribedTask, index: IndexRow, field: string): Promise<void> {
  if (task.startTime.getTime() > index.createTime.getTime() + SKEW_MS) return;
  const [, { accepted }] = await readArguments(client, task.workflowId, task.runId);
  const indexNo = accepted?.indexNo;
  if (typeof indexNo !== 'number' || indexNo === index.no) return;
  throw invalidField(field, `must be of a write to the index ${index.name} of now: that of the write was deleted`);
}

/**
 * Waits within the time of a search until the write that it must follow is searchable. Errors: those of `awaitWrite`,
 * `WriteFailed` if it never will be, and `SearchTimeout`.
 */
export async function searchAfter(
  tokens: WriteTokens,
  name: string,
  token: string | undefined,
  limit: SearchLimit,
): Promise<void> {
  if (token === undefined) return;
  const { searchable, ended, failed, detail } = await limit.write((signal) =>
    awaitWrite(tokens, name, token, {
      timeoutMs: Math.max(0, limit.untilMs - Date.now() - MARGIN_MS),
      signal,
      field: 'after',
    }),
  );
  if (searchable) return;
  if (!ended) throw searchTimeout('write');
  const what = failed > 0 ? `${failed} of its items failed` : 'it has not ended as done';
  throw new ReembedError('WriteFailed', `the write ${token} is not searchable: ${what} (${detail})`, {
    taskId: token,
  });
}
