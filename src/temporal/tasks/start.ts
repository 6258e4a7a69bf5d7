import type { Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ReembedError } from '../../contract/errors.ts';
import type { StartableType } from '../../contract/task-types.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { callTemporal, isType } from '../call.ts';
import { launch } from './launch.ts';
import { type DescribedTask, describeTask } from './read.ts';
import { cancelTask } from './steer.ts';
import type { StartTaskOptions } from './task-options.ts';

export type StartedTask = { existing: false; tracker: Tracker } | { existing: true };

const TRIES = 3;

/** Time that a replaced task has to release its locks. */
const REPLACE_WAIT_MS = 5_000;

/**
 * Starts a task, once per id: concurrent or later calls with the same id and input find the existing task, running or
 * ended. With `ignoreLock`, the existing task is ended first: it is canceled, so that it releases its locks, and
 * terminated if it does not stop in time. Errors: `TaskLocked` if the id belongs to a task with different input;
 * `TemporalUnavailable`, in which case the task may have been started nevertheless.
 *
 * @example
 * const input = { source: 'docs', dest: 'docs-v2' };
 * await startTask(client, { type: 'reindex', taskId: 'to-v2', input, taskQueue: 'reembed', inputHash: hashOf(input) });
 */
export async function startTask<T extends StartableType>(
  client: Client,
  options: StartTaskOptions<T>,
): Promise<StartedTask> {
  const { taskId, ignoreLock = false } = options;
  for (let attempt = 1; ; attempt++) {
    const replaced = ignoreLock ? await endForReplacement(client, taskId) : undefined;
    const reuse = replaced ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE';
    try {
      const tracker = await launch(client, { ...options, reuse, replaces: replaced?.runId });
      if (replaced) await deleteRun(client, taskId, replaced.runId);
      return { existing: false, tracker };
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    if (await findSameTask(client, options)) return { existing: true };
    // The id belongs to another product's workflow, or was removed between the two calls.
    if (attempt >= TRIES) throw lockedError(taskId);
  }
}

/**
 * Returns true if a task of this id, type and input exists, and false if no task has the id. Error: `TaskLocked` if the
 * id belongs to a different task.
 */
export async function findSameTask(
  client: Client,
  wanted: { type: StartableType; taskId: string; inputHash: string },
): Promise<boolean> {
  const there = await findTask(client, wanted.taskId);
  if (!there) return false;
  if (there.taskType === wanted.type && there.memo?.inputHash === wanted.inputHash) return true;
  throw lockedError(wanted.taskId);
}

async function findTask(client: Client, taskId: string): Promise<DescribedTask | undefined> {
  try {
    return await describeTask(client, taskId);
  } catch (error) {
    if (isType(error, 'TaskNotFound')) return undefined;
    throw error;
  }
}

async function endForReplacement(client: Client, taskId: string): Promise<DescribedTask | undefined> {
  const before = await findTask(client, taskId);
  if (!before?.running) return before;
  await cancelTask(client, taskId, 'replaced by a task with the same id', { waitMs: REPLACE_WAIT_MS });
  const after = await findTask(client, taskId);
  if (!after?.running) return after;
  const terminate = () => client.workflow.getHandle(taskId, after.runId).terminate('replaced: it did not stop in time');
  await callTemporal(client, taskId, terminate).catch((error) => {
    if (!isType(error, 'TaskNotFound')) throw error; // it has ended in the meantime
  });
  return after;
}

function lockedError(taskId: string): ReembedError {
  return new ReembedError(
    'TaskLocked',
    `the id ${taskId} belongs to a task with different input: use another id, or send ignoreLock to end that task and run this one`,
  );
}

/**
 * Removes a closed run from Temporal once another run of the same task has been started. Temporal lists and counts
 * runs, not tasks: with the old run, a restarted task would be listed twice, once with its previous status. Nothing is
 * lost, since the new run keeps attempts and errors. Temporal takes up to a minute to remove a run; until then lists
 * exclude it by the new run's `TaskReplaces`. A failure to remove the run does not fail the start.
 */
export async function deleteRun(client: Client, taskId: string, runId: string): Promise<void> {
  const { namespace } = client.options;
  const request = { namespace, workflowExecution: { workflowId: taskId, runId } };
  await callTemporal(client, taskId, () => client.workflowService.deleteWorkflowExecution(request)).catch(() => {});
}
