import { type Tracker, trackerSchema } from '../contract/tasks.ts';
import { watchEvents } from './events.ts';
import { type Query, type RequestOptions, readAs, type Send } from './request.ts';

export interface RunOptions {
  /** Wait for the end of the task: as long as it takes, or for at most this many seconds. */
  wait?: boolean | number;
  /** First end the task of the same id, if there is one. */
  ignoreLock?: boolean;
  signal?: AbortSignal;
}

/** Starts a task by the call with this `path`. */
export type Run = (path: `/v1/${string}`, request: RequestOptions, options: RunOptions) => Promise<Tracker>;

/** Max. wait of the first call, since a proxy may not hold a request for longer. Waiting then continues with events. */
const FIRST_WAIT_SECONDS = 30;

export async function readInfo(send: Send, taskId: string): Promise<Tracker> {
  return readAs(await send('GET', '/v1/tasks/info', { query: { taskId } }), trackerSchema);
}

/** Waits for the end of a task, or for at most `seconds`, and returns its tracker, whatever its status. */
export async function waitForEnd(
  send: Send,
  taskId: string,
  options: { seconds?: number; signal?: AbortSignal } = {},
): Promise<Tracker> {
  const late = options.seconds === undefined ? undefined : AbortSignal.timeout(Math.ceil(options.seconds * 1_000));
  const signals = [late, options.signal].filter((signal) => signal !== undefined);
  let last: Tracker | undefined;
  try {
    for await (const tracker of watchEvents(send, taskId, { signal: AbortSignal.any(signals) })) last = tracker;
  } catch (error) {
    if (!late?.aborted || options.signal?.aborted) throw error;
  }
  return last ?? readInfo(send, taskId);
}

/** Creates the function that starts tasks and, with `wait`, waits for them to end. */
export function createRun(send: Send): Run {
  return async (path, request, { wait = false, ignoreLock, signal }) => {
    const start = performance.now();
    const seconds = wait === true ? Number.POSITIVE_INFINITY : Number(wait);
    const timeout = Math.min(seconds, FIRST_WAIT_SECONDS);
    const query: Query = { ...request.query, ignoreLock, ...(wait !== false && { wait: true, timeout }) };
    const response = await send('POST', path, { ...request, query, signal });
    const tracker = await readAs(response, trackerSchema);
    const left = seconds - (performance.now() - start) / 1_000;
    if (response.status === 200 || wait === false || left <= 0) return tracker;
    return waitForEnd(send, tracker.id, { signal, seconds: wait === true ? undefined : left });
  };
}
