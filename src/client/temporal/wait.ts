import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, isGrpcCancelledError, isGrpcDeadlineError } from '@temporalio/client';
import type { Tracker } from '../../contract/tasks.ts';
import { callTemporal, isType } from './call.ts';
import { describeTask, outcomeOf, readTask, type TaskView } from './read.ts';

/** How soon a wait goes on after a call that the server did not answer. */
const HICCUP_MS = { first: 500, most: 10_000 } as const;

/** A watcher looks this often, and up to that seldom while nothing changes. */
const WATCH_MS = { first: 1_000, most: 2_000, factor: 1.25 } as const;

/**
 * Waits until a task has ended, through all runs it continues itself as, at most `timeoutMs` or until `signal` aborts.
 * Resolves with its tracker then; however a task ends, this does not throw for it. Errors: `TaskNotFound`;
 * `TemporalUnavailable` when the server is away at the end of that time.
 */
export async function waitForTask(
  client: Client,
  taskId: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Tracker> {
  const untilMs = Date.now() + timeoutMs;
  for (let pauseMs: number = HICCUP_MS.first; ; pauseMs = Math.min(HICCUP_MS.most, pauseMs * 2)) {
    try {
      await describeTask(client, taskId); // a workflow that is no task is not waited for
      return (await awaitTask(client, taskId, Math.max(0, untilMs - Date.now()), signal)).tracker;
    } catch (error) {
      // A server that is away for a while does not end the wait: its own time does.
      if (!isType(error, 'TemporalUnavailable') || signal?.aborted || Date.now() + pauseMs >= untilMs) throw error;
    }
    await delay(pauseMs, undefined, { signal }).catch(() => {});
  }
}

/** As `waitForTask`, of what is known to be a task, and tells whether it has ended. */
export async function awaitTask(
  client: Client,
  taskId: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<TaskView> {
  const tracker = await waitForEnd(client, taskId, timeoutMs, signal);
  return tracker ? { tracker, ended: true } : readTask(client, taskId);
}

/** A connection that workers share cannot break off a call: one that nobody waits for any more lasts this long. */
const CALL_MS = 15_000;

/**
 * Waits for the end of the workflow; the server holds the call until then, so nobody polls. Resolves with the tracker
 * that the task left as result or failure: nothing if the time was out or `signal` aborted before, or if Temporal ended
 * the task by itself.
 */
export async function waitForEnd(
  client: Client,
  taskId: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Tracker | undefined> {
  const untilMs = Date.now() + timeoutMs;
  // The SDK adds a listener per call and removes none: they go with a signal of our own.
  const own = AbortSignal.any(signal ? [signal] : []);
  setMaxListeners(0, own);
  const aborted = new Promise<undefined>((resolve) => {
    own.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const end = async () => {
    try {
      return await outcomeOf(client.workflow.getHandle(taskId));
    } catch (error) {
      if (!isGrpcDeadlineError(error) && !isGrpcCancelledError(error)) throw error;
      return undefined;
    }
  };
  for (let leftMs = timeoutMs; leftMs > 0 && !own.aborted; leftMs = untilMs - Date.now()) {
    const call = callTemporal(client, taskId, () => client.withAbortSignal(own, end), {
      timeoutMs: Math.min(leftMs, CALL_MS),
    });
    const beganMs = Date.now();
    const outcome = await Promise.race([call, aborted]);
    if (outcome) return outcome.tracker;
    // A server that gives up early is not asked at full speed.
    if (Date.now() - beganMs < HICCUP_MS.first)
      await delay(HICCUP_MS.first, undefined, { signal: own }).catch(() => {});
  }
  return undefined;
}

/**
 * The trackers of a task, each time it has changed, until it has ended or `signal` aborts. The first one comes at once.
 *
 * @example
 * for await (const { status, progress } of watchTask(client, 'to-v2')) show(status, progress);
 */
export async function* watchTask(client: Client, taskId: string, signal?: AbortSignal): AsyncGenerator<Tracker> {
  let shown = '';
  let pauseMs: number = WATCH_MS.first;
  while (!signal?.aborted) {
    const { tracker, ended } = await readTask(client, taskId);
    const text = JSON.stringify(tracker);
    if (text === shown) {
      pauseMs = Math.min(WATCH_MS.most, pauseMs * WATCH_MS.factor);
    } else {
      yield tracker;
      shown = text;
      pauseMs = WATCH_MS.first;
    }
    if (ended) return;
    await delay(pauseMs, undefined, { signal }).catch(() => {});
  }
}
