import type { Client } from '@temporalio/client';
import type { Tracker } from '../../contract/tasks.ts';
import { awaitTask, type TaskView } from '../../temporal/index.ts';

/** Header of the answer to a run. */
export const RUN_LOCATION = {
  Location: { description: 'Where to ask for the task.', required: true, schema: { type: 'string' as const } },
};

/** Returns an accepted task, after its end if that comes within `waitSeconds`. */
export async function endOfRun(
  client: Client,
  accepted: Tracker,
  { waitSeconds, signal }: { waitSeconds: number; signal: AbortSignal },
): Promise<TaskView> {
  // A job that was ignored immediately has no workflow.
  if (accepted.status === 'ignored') return { tracker: accepted, ended: true };
  if (waitSeconds === 0) return { tracker: accepted, ended: false };
  return awaitTask(client, accepted.id, waitSeconds * 1_000, signal);
}
