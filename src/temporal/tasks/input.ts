import type { Client } from '@temporalio/client';
import type { HandOver } from '../../contract/hand-over.ts';
import { callTemporal } from '../call.ts';
import { decodeArrayFromPayloads } from '../sdk-internals.ts';
import { describeTask } from './read.ts';

/**
 * Returns what the last run of a task was started with: the body of its call. A write whose items are stored apart has
 * none here. Needs no worker. Errors: `TaskNotFound`, `TemporalUnavailable`.
 */
export async function readTaskInput(client: Client, taskId: string): Promise<unknown> {
  const { runId } = await describeTask(client, taskId);
  const [input] = await readArguments(client, taskId, runId);
  return input ?? null;
}

/** Reads the arguments of a run from the first event of its history. */
export async function readArguments(client: Client, taskId: string, runId: string) {
  const { namespace, loadedDataConverter } = client.options;
  const request = { namespace, execution: { workflowId: taskId, runId }, maximumPageSize: 1 };
  const { history } = await callTemporal(client, taskId, () =>
    client.workflowService.getWorkflowExecutionHistory(request),
  );
  const payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads;
  const context = { type: 'workflow', namespace, workflowId: taskId } as const;
  const [input, given] = await decodeArrayFromPayloads(loadedDataConverter, payloads, context);
  return [input, (given ?? {}) as Partial<HandOver>] as const;
}
