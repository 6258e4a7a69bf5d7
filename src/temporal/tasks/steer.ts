import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Approval, Decision } from '../../contract/approval.ts';
import { ReembedError } from '../../contract/errors.ts';
import { IGNORED_CALL } from '../../contract/failures.ts';
import { SIGNAL } from '../../contract/names.ts';
import type { ReadShares, ReadsState } from '../../contract/read-shares.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { callTemporal, isType } from '../call.ts';
import { describeTask, readTask, type TaskView } from './read.ts';
import { waitForEnd } from './wait.ts';

const CANCEL_WAIT_MS = 10_000;

/** Max. time that the response waits for a signal to show in the tracker. */
const SETTLE_MS = 2_000;
const SETTLE_POLL_MS = 100;

/** `by`: the caller, recorded in the task's tracker. */
export interface SteeringOptions {
  by?: string | null;
}

/**
 * Cancels a task and waits until it has stopped, for at most `waitMs` (default: 10,000); nothing is written for it
 * after that. Returns the tracker, without an error, also for a task that has already ended or did not stop in time,
 * for instance because no worker runs. Errors: `TaskNotFound`, `TemporalUnavailable`.
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

/** Pauses a task between two batches until it is resumed. Errors: `TaskClosed`, `TaskNotFound`. */
export function pauseTask(client: Client, taskId: string, options: SteeringOptions = {}): Promise<Tracker> {
  return steer(client, taskId, SIGNAL.pause, [], options, ({ tracker }) => tracker.status === 'paused');
}

/** Resumes a paused task. Errors: `TaskClosed`, `TaskNotFound`. */
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
 * Sets the max. number of objects that a reindex copies, or of rows that a sync writes, per second; null removes the limit. Errors: `InvalidInput` for
 * other types of tasks, `TaskClosed`, `TaskNotFound`.
 */
export async function throttleTask(
  client: Client,
  taskId: string,
  ratePerSecond: number | null,
  options: SteeringOptions = {},
): Promise<Tracker> {
  const { taskType, running } = await describeTask(client, taskId);
  if (taskType !== 'reindex' && taskType !== 'sync') {
    throw new ReembedError(
      'InvalidInput',
      `only a reindex or a sync can be throttled, and ${taskId} is a task of type ${taskType}`,
    );
  }
  if (!running) throw closedError(taskId, SIGNAL.throttle);
  // A query is answered after the signals sent before it.
  return sendAndSettle(client, taskId, SIGNAL.throttle, [ratePerSecond], options, () => true);
}

/**
 * Sets the shares of live searches that run on the index that a reindex builds, or on the retired index that a deletion
 * keeps current; one that is not given stays. Errors: `InvalidInput` if the task has no such index, `TaskClosed`,
 * `TaskNotFound`.
 */
export async function setTaskReads(
  client: Client,
  taskId: string,
  shares: Partial<ReadShares>,
  options: SteeringOptions = {},
): Promise<Tracker> {
  const { tracker: before, ended } = await readTask(client, taskId);
  if (before.type !== 'reindex' && before.type !== 'delete-index') {
    const problem = `only a reindex has shadow and canary reads, and ${taskId} is a task of type ${before.type}`;
    throw new ReembedError('InvalidInput', problem);
  }
  if (ended) throw closedError(taskId, 'change the reads of');
  const seen = lastReadsCall(before)?.time;
  const isSettled = ({ tracker }: TaskView) => {
    const call = lastReadsCall(tracker);
    return call?.time !== seen && (call?.reason !== undefined || areReadsSet(tracker));
  };
  const after = await sendAndSettle(client, taskId, SIGNAL.reads, [shares], options, isSettled);
  const call = lastReadsCall(after);
  if (call?.time === seen || !call?.reason?.startsWith(IGNORED_CALL)) return after;
  throw new ReembedError('InvalidInput', call.reason.slice(IGNORED_CALL.length));
}

function lastReadsCall({ steering }: Tracker) {
  return steering.find(({ call }) => call === SIGNAL.reads);
}

/** Whether the shares are in force, or will be once the index is complete. */
function areReadsSet({ data }: Tracker): boolean {
  const reads = data.reads as ReadsState | undefined;
  return reads !== undefined && (reads.since !== null || (data.approval === undefined && data.index === undefined));
}

/**
 * Decides about the switch of a reindex that waits for an approval. Errors: `NotAwaitingApproval`, `TaskClosed`,
 * `TaskNotFound`.
 */
export async function decideTask(
  client: Client,
  taskId: string,
  kind: Decision,
  reason?: string,
  options: SteeringOptions = {},
): Promise<Tracker> {
  const view = await readTask(client, taskId);
  if (view.ended) throw closedError(taskId, kind);
  const before = approvalOf(view);
  if (before === undefined || before.decision !== null) {
    const why = before === undefined ? 'does not wait for an approval' : 'is decided already';
    throw new ReembedError('NotAwaitingApproval', `the task ${taskId} ${why}`);
  }
  return sendAndSettle(client, taskId, kind, [reason ?? null], options, (now) => approvalOf(now)?.decision != null);
}

function approvalOf({ tracker: { data } }: TaskView): Approval | undefined {
  return data.approval as Approval | undefined;
}

type Steering = [
  client: Client,
  taskId: string,
  signal: string,
  args: unknown[],
  options: SteeringOptions,
  isSettled: (view: TaskView) => boolean,
];

async function steer(...steering: Steering): Promise<Tracker> {
  const [client, taskId, signal] = steering;
  const { running } = await describeTask(client, taskId);
  if (!running) throw closedError(taskId, signal);
  return sendAndSettle(...steering);
}

/** Steers a task that was running a moment ago. */
async function sendAndSettle(...[client, taskId, signal, args, { by }, isSettled]: Steering): Promise<Tracker> {
  if (!(await sendSignal(client, taskId, signal, args, by))) throw closedError(taskId, signal);
  return settle(client, taskId, isSettled);
}

/** Sends a signal with its arguments and the sender. Returns false if the workflow has ended and cannot receive it. */
export async function sendSignal(
  client: Client,
  taskId: string,
  signal: string,
  args: unknown[],
  by: string | null | undefined,
): Promise<boolean> {
  const sent = by == null ? args : [...args, by];
  try {
    await callTemporal(client, taskId, () => client.workflow.getHandle(taskId).signal(signal, ...sent));
    return true;
  } catch (error) {
    if (isType(error, 'TaskNotFound')) return false;
    throw error;
  }
}

/** Returns the tracker once it shows the effect of a signal, or after `SETTLE_MS`: some tasks react only later. */
export async function settle(client: Client, taskId: string, isSettled: (view: TaskView) => boolean): Promise<Tracker> {
  const untilMs = Date.now() + SETTLE_MS;
  for (;;) {
    const view = await readTask(client, taskId);
    if (view.ended || isSettled(view) || Date.now() >= untilMs) return view.tracker;
    await delay(SETTLE_POLL_MS);
  }
}

function closedError(taskId: string, verb: string): ReembedError {
  return new ReembedError('TaskClosed', `the task ${taskId} has ended: it is too late to ${verb} it`);
}
