import type { Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ReembedError } from '../../contract/errors.ts';
import type { TaskType, Tracker } from '../../contract/tasks.ts';
import type { HandOver, TaskInputs } from '../../contract/workflow-inputs.ts';
import { callTemporal, isType } from './call.ts';
import { launch } from './launch.ts';
import { type DescribedTask, describeTask } from './read.ts';
import { cancelTask } from './steer.ts';

/** Slices are started by their reindex alone. */
export type StartableType = Exclude<TaskType, 'reindex-slice'>;

export interface StartTaskOptions<T extends StartableType = StartableType> {
  type: T;
  taskId: string;
  input: TaskInputs[T];
  /** What the product gives the run beside it. */
  handOver?: HandOver | undefined;
  taskQueue: string;
  /** Tells whether another call with the same id asks for the same. */
  inputHash: string;
  /** One line for the Temporal UI. */
  summary?: string;
  /** Lower is sooner; live writes go first by default. */
  priority?: number;
  /** Where the server has fairness turned on: who it is that must not starve others. */
  fairnessKey?: string;
  /** End the task of this id, if there is one, and run this instead, whatever its input. */
  ignoreLock?: boolean;
  /** How long the start is repeated while the server does not answer: 15 seconds if not given. */
  patienceMs?: number;
}

export type StartedTask = { existing: false; tracker: Tracker } | { existing: true };

const TRIES = 3;

/** How long a task that is to be replaced may take to give its locks back. */
const REPLACE_WAIT_MS = 5_000;

/**
 * Starts a task, once per id: calls with the same id and input, at once or later, find the task that is there
 * (`existing`), running or ended. With `ignoreLock` the one that is there is ended first: it is asked to cancel, so that
 * it gives its locks back, and terminated when it does not in time.
 * Errors: `TaskLocked` when the id belongs to a task with other input; `TemporalUnavailable`, and then the task may
 * have been started all the same.
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
    // Not ours, or removed between the two calls.
    if (attempt >= TRIES) throw lockedError(taskId);
  }
}

/**
 * True if a task of this id, type and input is there; false if there is no such task. Error: `TaskLocked` when the id
 * belongs to another one.
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
    if (!isType(error, 'TaskNotFound')) throw error; // it has ended meanwhile
  });
  return after;
}

function lockedError(taskId: string): ReembedError {
  return new ReembedError(
    'TaskLocked',
    `the id ${taskId} belongs to a task with other input: take another id, or send ignoreLock to end that task and run this one`,
  );
}

/**
 * Removes a closed run from Temporal once another run of the same task has been started. Temporal lists and counts
 * runs, people count tasks: with the old run there, a restarted task would be listed twice and found under the status
 * of its past as well. Nothing is lost, since the new run carries attempts and errors on. Temporal takes up to a minute
 * for it, and until then lists leave the run out by the new one's `TaskReplaces`. A failure to remove it is not one of
 * the start.
 */
export async function deleteRun(client: Client, taskId: string, runId: string): Promise<void> {
  const { namespace } = client.options;
  const request = { namespace, workflowExecution: { workflowId: taskId, runId } };
  await callTemporal(client, taskId, () => client.workflowService.deleteWorkflowExecution(request)).catch(() => {});
}
