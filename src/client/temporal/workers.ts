import type { Client } from '@temporalio/client';
import { callTemporal } from './call.ts';

/** Temporal's number for the queues of workflows. */
const WORKFLOW_QUEUE = 1;
/** A poll lasts a minute at most. */
const SEEN_WITHIN_MS = 120_000;

/** Whether workers have asked for workflows of this task queue in the last minutes. Error: `TemporalUnavailable`. */
export async function hasWorkers(client: Client, taskQueue: string): Promise<boolean> {
  const { namespace } = client.options;
  const request = { namespace, taskQueue: { name: taskQueue }, taskQueueType: WORKFLOW_QUEUE };
  const { pollers } = await callTemporal(client, '', () => client.workflowService.describeTaskQueue(request));
  const since = Date.now() - SEEN_WITHIN_MS;
  return (pollers ?? []).some(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000 > since);
}
