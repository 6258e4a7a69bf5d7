import type { Client } from '@temporalio/client';
import { callTemporal } from './call.ts';

/** Temporal's number for workflow task queues. */
const WORKFLOW_QUEUE = 1;
/** A worker counts as present if it polled within this time; a poll lasts up to a minute. */
const SEEN_WITHIN_MS = 120_000;

/** Returns whether workers have polled this task queue for workflows recently. Error: `TemporalUnavailable`. */
export async function hasWorkers(client: Client, taskQueue: string): Promise<boolean> {
  const { namespace } = client.options;
  const request = { namespace, taskQueue: { name: taskQueue }, taskQueueType: WORKFLOW_QUEUE };
  const { pollers } = await callTemporal(client, '', () => client.workflowService.describeTaskQueue(request));
  const since = Date.now() - SEEN_WITHIN_MS;
  return (pollers ?? []).some(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000 > since);
}
