import type { Client } from '@temporalio/client';
import { awaitTask, type TaskView } from '../../client/temporal/index.ts';
import type { Tracker } from '../../contract/tasks.ts';

/** What an answer to a run tells beside the tracker. */
export const RUN_LOCATION = {
  Location: { description: 'Where to ask for the task.', required: true, schema: { type: 'string' as const } },
};

/** An accepted task as it is to be answered: at its end, if that comes within the time that may be waited. */
export async function endOfRun(
  client: Client,
  accepted: Tracker,
  { waitSeconds, signal }: { waitSeconds: number; signal: AbortSignal },
): Promise<TaskView> {
  // A job that was ignored at once has no workflow.
  if (accepted.status === 'ignored') return { tracker: accepted, ended: true };
  if (waitSeconds === 0) return { tracker: accepted, ended: false };
  return awaitTask(client, accepted.id, waitSeconds * 1_000, signal);
}
