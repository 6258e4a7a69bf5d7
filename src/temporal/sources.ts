import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { followerIdOf, LOOK, WORKFLOW } from '../contract/names.ts';
import type { FollowRequest } from '../contract/source-activities.ts';
import { callTemporal, isType } from './call.ts';
import { launch } from './tasks/launch.ts';

/** How long a stop waits until nothing is written any more. */
const STOP_MS = 15_000;
const POLL_MS = 50;

/**
 * Starts to follow a source, unless it is followed already, and a sync of all its rows. Returns the task id of the sync.
 * A follower that runs takes a changed definition by itself. Errors: `TemporalUnavailable`.
 */
export async function startFollowing(
  client: Client,
  source: FollowRequest & { taskQueue: string },
): Promise<{ syncTaskId: string }> {
  const [syncTaskId] = await Promise.all([startSync(client, source), follow(client, source)]);
  return { syncTaskId };
}

/** Starts a sync of all rows of a source; returns its task id. Errors: `TemporalUnavailable`. */
export async function startSync(
  client: Client,
  { name, taskQueue }: Pick<FollowRequest, 'name'> & { taskQueue: string },
): Promise<string> {
  const taskId = `sync-${name}-${randomUUID().slice(0, 8)}`;
  await launch(client, { type: 'sync', taskId, input: { source: name }, taskQueue, reuse: 'REJECT_DUPLICATE' });
  return taskId;
}

/** Starts to follow a source, unless it is followed already. Errors: `TemporalUnavailable`. */
export async function follow(
  client: Client,
  { no, name, taskQueue }: FollowRequest & { taskQueue: string },
): Promise<void> {
  const workflowId = followerIdOf(name);
  await callTemporal(client, workflowId, () =>
    client.workflow.signalWithStart(WORKFLOW.followSource, {
      workflowId,
      taskQueue,
      args: [{ no, name }],
      signal: LOOK,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      staticSummary: `follows the source ${name}`,
    }),
  );
}

/**
 * Stops following a source, if it is followed. Returns true once nothing is written any more; false if that takes too
 * long, as with a worker that is gone.
 */
export async function stopFollowing(client: Client, { name }: Pick<FollowRequest, 'name'>): Promise<boolean> {
  const workflowId = followerIdOf(name);
  const handle = client.workflow.getHandle(workflowId);
  try {
    await callTemporal(client, workflowId, () => handle.cancel());
    for (const endMs = Date.now() + STOP_MS; Date.now() < endMs; await delay(POLL_MS)) {
      const { status } = await callTemporal(client, workflowId, () => handle.describe());
      if (status.name !== 'RUNNING') return true;
    }
    return false;
  } catch (error) {
    if (isType(error, 'TaskNotFound')) return true;
    throw error;
  }
}
