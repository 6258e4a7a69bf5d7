import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { ReembedError } from '../../contract/errors.ts';
import { SIGNAL } from '../../contract/names.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { callTemporal, isType } from './call.ts';
import { describeTask, readTask, type TaskView } from './read.ts';
import { waitForEnd } from './wait.ts';

const CANCEL_WAIT_MS = 10_000;

/** How long the answer waits for a signal to show in the tracker. */
const SETTLE_MS = 2_000;
const SETTLE_POLL_MS = 100;

/** Who asks: kept in the task's tracker. */
export interface SteeringOptions {
  by?: string | null;
}

/**
 * Cancels a task and waits, at most `waitMs` (10 s), until it has stopped: nothing is written for it after that. A task
 * that has ended already is left as it is and its tracker returned, without an error, as is the tracker of one that did
 * not stop in time, for instance because no worker runs. Errors: `TaskNotFound`, `TemporalUnavailable`.
 */
export async function cancelTask(
  client: Client,
  taskId: string,
  reason?: string,
  options: SteeringOptions & { waitMs?: number } = {},
): Promise<Tracker> {
  const { running } = await describeTask(client, taskId);
  if (running && (await sendSignal(client, taskId, SIGNAL.cancel, [reason ?? null], options.by))) {
    await waitForEnd(client, taskId, options.waitMs ?? CANCEL_WAIT_MS);
  }
  return (await readTask(client, taskId)).tracker;
}

/** Holds a task back between two batches until it is resumed. Errors: `TaskClosed`, `TaskNotFound`. */
export function pauseTask(client: Client, taskId: string, options: SteeringOptions = {}): Promise<Tracker> {
  return steer(client, taskId, SIGNAL.pause, [], options, ({ tracker }) => tracker.status === 'paused');
}

/** Lets a paused task go on. Errors: `TaskClosed`, `TaskNotFound`. */
export function resumeTask(client: Client, taskId: string, options: SteeringOptions = {}): Promise<Tracker> {
  return steer(client, taskId, SIGNAL.resume, [], options, ({ tracker }) => tracker.status !== 'paused');
}

/** Ends a task as `ignored`: it is not run again unless forced. Errors: `TaskClosed`, `TaskNotFound`. */
export function ignoreTask(
  client: Client,
  taskId: string,
  reason?: string,
  options: SteeringOptions = {},
): Promise<Tracker> {
  return steer(client, taskId, SIGNAL.ignore, [reason ?? null], options, ({ ended }) => ended);
}

/**
 * Sets how many objects a reindex copies in a second at most; null lifts the limit. Errors: `InvalidInput` for tasks
 * that are no reindex, `TaskClosed`, `TaskNotFound`.
 */
export async function throttleTask(
  client: Client,
  taskId: string,
  ratePerSecond: number | null,
  options: SteeringOptions = {},
): Promise<Tracker> {
  const { taskType } = await describeTask(client, taskId);
  if (taskType !== 'reindex') {
    throw new ReembedError(
      'InvalidInput',
      `only a reindex can be throttled, and ${taskId} is a task of type ${taskType}`,
    );
  }
  // A query is answered after the signals sent before it.
  return steer(client, taskId, SIGNAL.throttle, [ratePerSecond], options, () => true);
}

async function steer(
  client: Client,
  taskId: string,
  signal: string,
  args: unknown[],
  { by }: SteeringOptions,
  isSettled: (view: TaskView) => boolean,
): Promise<Tracker> {
  const { running } = await describeTask(client, taskId);
  if (!running || !(await sendSignal(client, taskId, signal, args, by))) throw closedError(taskId, signal);
  return settle(client, taskId, isSettled);
}

/** The signal's arguments, and last who sends it. False if the workflow has ended, so that it gets none any more. */
export async function sendSignal(
  client: Client,
  taskId: string,
  signal: string,
  args: unknown[],
  by: string | null | undefined,
): Promise<boolean> {
  const told = by == null ? args : [...args, by];
  try {
    await callTemporal(client, taskId, () => client.workflow.getHandle(taskId).signal(signal, ...told));
    return true;
  } catch (error) {
    if (isType(error, 'TaskNotFound')) return false;
    throw error;
  }
}

/** The tracker once it shows what was asked for, or as it is after a short while: some tasks get to it only later. */
export async function settle(client: Client, taskId: string, isSettled: (view: TaskView) => boolean): Promise<Tracker> {
  const untilMs = Date.now() + SETTLE_MS;
  for (;;) {
    const view = await readTask(client, taskId);
    if (view.ended || isSettled(view) || Date.now() >= untilMs) return view.tracker;
    await delay(SETTLE_POLL_MS);
  }
}

export function closedError(taskId: string, verb: string): ReembedError {
  return new ReembedError('TaskClosed', `the task ${taskId} has ended: it is too late to ${verb} it`);
}
