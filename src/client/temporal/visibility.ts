import type { Client } from '@temporalio/client';
import { executionInfoFromRaw } from '@temporalio/client/lib/helpers.js';
import { decodeTypedSearchAttributes } from '@temporalio/common/lib/converter/payload-search-attributes.js';
import { LIMITS } from '../../contract/limits.ts';
import { callTemporal } from './call.ts';
import { taskReplacesKey } from './names.ts';
import type { Execution } from './rows.ts';
import { list } from './task-filter.ts';

type ListAnswer = Awaited<ReturnType<Client['workflowService']['listWorkflowExecutions']>>;
export type RawExecution = ListAnswer['executions'][number];

/** Lists of very many tasks take their time. */
const LIST_TIMEOUT_MS = 15_000;

/** A replaced run is surely gone after this time. */
const REMOVAL_MS = 10 * 60_000;

/** One page of workflows in Temporal's own order: those that run first, then those that ended last. */
export async function listExecutions(
  client: Client,
  query: string,
  pageSize: number,
  nextPageToken: Uint8Array = new Uint8Array(),
): Promise<{ executions: RawExecution[]; token: Uint8Array }> {
  const { namespace } = client.options;
  const request = { namespace, query, pageSize, nextPageToken };
  const answer = await callTemporal(client, '', () => client.workflowService.listWorkflowExecutions(request), {
    timeoutMs: LIST_TIMEOUT_MS,
  });
  return { executions: answer.executions ?? [], token: answer.nextPageToken ?? new Uint8Array() };
}

/** All workflows that fit. */
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
  return Number((await callTemporal(client, '', call, { timeoutMs: LIST_TIMEOUT_MS })).count ?? 0);
}

/** As the SDK's own lists have it, with what is encoded decoded. */
export function decodeExecution(client: Client, raw: RawExecution): Promise<Execution> {
  const { namespace, loadedDataConverter } = client.options;
  return executionInfoFromRaw(raw, loadedDataConverter, raw, namespace);
}

/**
 * Leaves out the runs that were replaced by a new one of the same task just now: they are being removed, which takes
 * Temporal up to a minute.
 */
export async function notReplaced(client: Client): Promise<string | undefined> {
  const since = new Date(Date.now() - REMOVAL_MS).toISOString();
  const query = `TaskReplaces IS NOT NULL AND StartTime > '${since}'`;
  const { executions } = await listExecutions(client, query, LIMITS.listLimit);
  const replaced = executions.flatMap(
    ({ searchAttributes }) => decodeTypedSearchAttributes(searchAttributes?.indexedFields).get(taskReplacesKey) ?? [],
  );
  return replaced.length === 0 ? undefined : `RunId NOT IN (${list(replaced)})`;
}
