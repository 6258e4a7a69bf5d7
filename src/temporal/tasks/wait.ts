import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, isGrpcCancelledError, isGrpcDeadlineError } from '@temporalio/client';
import type { Tracker } from '../../contract/tasks.ts';
import { callTemporal, isType } from '../call.ts';
import { awaitOutcome, describeTask, readTask, type TaskView } from './read.ts';

/** Backoff of a wait after a call that the server did not answer. */
const HICCUP_MS = { first: 500, max: 10_000 } as const;

/** Polling interval of a watcher: grows from `first` to `most` while nothing changes. */
const WATCH_MS = { first: 1_000, max: 2_000, factor: 1.25 } as const;

/**
 * Waits until a task has ended, across all its runs, for at most `timeoutMs` or until `signal` aborts, and returns its
 * tracker. Does not throw if the task fails. Errors: `TaskNotFound`; `TemporalUnavailable` if the server is unavailable
 * at the end of that time.
 */
export async function waitForTask(
  client: Client,
  taskId: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Tracker> {
  const untilMs = Date.now() + timeoutMs;
  for (let pauseMs: number = HICCUP_MS.first; ; pauseMs = Math.min(HICCUP_MS.max, pauseMs * 2)) {
    try {
      await describeTask(client, taskId); // does not wait for a workflow that is not a task
      return (await awaitTask(client, taskId, Math.max(0, untilMs - Date.now()), signal)).tracker;
    } catch (error) {
      // A server that is temporarily unavailable does not end the wait; its timeout does.
      if (!isType(error, 'TemporalUnavailable') || signal?.aborted || Date.now() + pauseMs >= untilMs) throw error;
    }
    await delay(pauseMs, undefined, { signal }).catch(() => {});
  }
}

/** Like `waitForTask`, for an id that is known to be a task; also returns whether it has ended. */
export async function awaitTask(
  client: Client,
  taskId: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<TaskView> {
  const tracker = await waitForEnd(client, taskId, timeoutMs, signal);
  return tracker ? { tracker, ended: true } : readTask(client, taskId);
}

/** Max. time of one call. A connection shared with workers cannot abort calls, so an abandoned one lasts this long. */
const CALL_MS = 15_000;

/**
 * Waits for the end of the workflow; the server holds the call until then, so there is no polling. Resolves with the
 * tracker in the task's result or failure; undefined after the timeout, an abort, or if Temporal ended the task.
 */
export async function waitForEnd(
  client: Client,
  taskId: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Tracker | undefined> {
  const untilMs = Date.now() + timeoutMs;
  // The SDK adds a listener per call and removes none: with a separate signal they are garbage-collected.
  const own = AbortSignal.any(signal ? [signal] : []);
  setMaxListeners(0, own);
  const aborted = new Promise<undefined>((resolve) => {
    own.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const end = async () => {
    try {
      return await awaitOutcome(client.workflow.getHandle(taskId));
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
    // Do not poll a server that ends calls early at full speed.
    if (Date.now() - beganMs < HICCUP_MS.first)
      await delay(HICCUP_MS.first, undefined, { signal: own }).catch(() => {});
  }
  return undefined;
}

/**
 * Yields the tracker of a task immediately and after each change, until the task has ended or `signal` aborts.
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
      pauseMs = Math.min(WATCH_MS.max, pauseMs * WATCH_MS.factor);
    } else {
      yield tracker;
      shown = text;
      pauseMs = WATCH_MS.first;
    }
    if (ended) return;
    await delay(pauseMs, undefined, { signal }).catch(() => {});
  }
}
