import type { Client } from '@temporalio/client';
import pLimit, { type LimitFunction } from 'p-limit';
import { LIMITS } from '../../contract/limits.ts';
import { KEYS } from '../../contract/search-attributes.ts';
import { callTemporal } from '../call.ts';
import { decodeTypedSearchAttributes, executionInfoFromRaw } from '../sdk-internals.ts';
import type { Execution } from '../tasks/list-row.ts';
import { list } from './query.ts';

type ListAnswer = Awaited<ReturnType<Client['workflowService']['listWorkflowExecutions']>>;
export type RawExecution = ListAnswer['executions'][number];

/** Listing very many tasks is slow. */
const LIST_TIMEOUT_MS = 15_000;

/**
 * Maximum number of these calls at once. The server handles them one after the other, and the time limit of a call is to
 * cover the server's time, not that of earlier calls.
 */
const MAX_AT_ONCE = 16;

const turns = new WeakMap<object, LimitFunction>();

/** Runs a call to Temporal's lists when fewer than the maximum are in progress. */
export function inTurn<T>(client: Client, call: () => Promise<T>): Promise<T> {
  const turn = turns.get(client.connection) ?? pLimit(MAX_AT_ONCE);
  turns.set(client.connection, turn);
  return turn(call);
}

/** Time after which a replaced run is certainly removed. */
const REMOVAL_MS = 10 * 60_000;

/** Returns one page of workflows in Temporal's order: running ones first, then the last ended ones. */
export async function listExecutions(
  client: Client,
  query: string,
  pageSize: number,
  nextPageToken: Uint8Array = new Uint8Array(),
): Promise<{ executions: RawExecution[]; token: Uint8Array }> {
  const { namespace } = client.options;
  const request = { namespace, query, pageSize, nextPageToken };
  const list = () => client.workflowService.listWorkflowExecutions(request);
  const answer = await inTurn(client, () => callTemporal(client, '', list, { timeoutMs: LIST_TIMEOUT_MS }));
  return { executions: answer.executions ?? [], token: answer.nextPageToken ?? new Uint8Array() };
}

/** Returns all matching workflows. */
export async function listAllExecutions(client: Client, query: string, pageSize: number): Promise<RawExecution[]> {
  const all: RawExecution[] = [];
  for (let token: Uint8Array | undefined; token === undefined || token.length > 0; ) {
    const page = await listExecutions(client, query, Math.min(LIMITS.listLimit, pageSize), token);
    all.push(...page.executions);
    token = page.token;
  }
  return all;
}

export async function countExecutions(client: Client, query: string): Promise<number> {
  const { namespace } = client.options;
  const call = () => client.workflowService.countWorkflowExecutions({ namespace, query });
  const answer = await inTurn(client, () => callTemporal(client, '', call, { timeoutMs: LIST_TIMEOUT_MS }));
  return Number(answer.count ?? 0);
}

/** Decodes an execution to the form of the SDK's lists. */
export function decodeExecution(client: Client, raw: RawExecution): Promise<Execution> {
  const { namespace, loadedDataConverter } = client.options;
  return executionInfoFromRaw(raw, loadedDataConverter, raw, namespace);
}

/**
 * Returns a condition that excludes runs that were just replaced by a new run of the same task: Temporal takes up to a
 * minute to remove them.
 */
export async function notReplaced(client: Client): Promise<string | undefined> {
  const since = new Date(Date.now() - REMOVAL_MS).toISOString();
  const query = `TaskReplaces IS NOT NULL AND StartTime > '${since}'`;
  const { executions } = await listExecutions(client, query, LIMITS.listLimit);
  const replaced = executions.flatMap(
    ({ searchAttributes }) => decodeTypedSearchAttributes(searchAttributes?.indexedFields).get(KEYS.replaces) ?? [],
  );
  return replaced.length === 0 ? undefined : `RunId NOT IN (${list(replaced)})`;
}
