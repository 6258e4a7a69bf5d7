import {
  cancelTask,
  getTracker,
  ignoreTask,
  pauseTask,
  restartTask,
  resumeTask,
  waitForTask,
} from '../client/temporal/index.ts';
import { ReembedError } from '../contract/errors.ts';
import type { Tracker } from '../contract/tasks.ts';
import type { JobConnection } from './registry.ts';

/** A job by its id: what can be asked of it and done to it. Errors of all: `TaskNotFound`, `TemporalUnavailable`. */
export interface JobHandle<Result> {
  readonly id: string;
  /** Its tracker. */
  info(): Promise<Tracker>;
  /** Waits for its end, one day if `timeoutMs` is not given, and resolves with the tracker, however it ended. */
  wait(options?: WaitOptions): Promise<Tracker>;
  /** Waits likewise, and resolves with what the handler returned. Errors: `TaskFailed` when it did not end as done. */
  result(options?: WaitOptions): Promise<Result>;
  /** Stops it and waits, at most ten seconds, until it has stopped. */
  cancel(reason?: string): Promise<Tracker>;
  /** Runs it again: at once while it waits for its time or backs off, anew when it has ended. */
  restart(options?: { force?: boolean }): Promise<Tracker>;
  /** Holds it back before its next attempt. */
  pause(): Promise<Tracker>;
  resume(): Promise<Tracker>;
  /** Sets it aside: it does not run again unless forced. */
  ignore(reason?: string): Promise<Tracker>;
}

export interface WaitOptions {
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** A job that was just sent. */
export interface SentJob<Result> extends JobHandle<Result> {
  /** As it was when it was sent: `ignored` when another job stands for it, whose id is `data.standsFor`. */
  readonly tracker: Tracker;
}

const LONGEST_WAIT_MS = 86_400_000;

export function createHandle<Result>(connection: () => JobConnection, id: string): JobHandle<Result> {
  const client = () => connection().client;
  const wait = ({ timeoutMs = LONGEST_WAIT_MS, signal }: WaitOptions = {}) =>
    waitForTask(client(), id, timeoutMs, signal);
  return {
    id,
    info: async () => getTracker(client(), id),
    wait,
    result: async (options) => resultOf<Result>(await wait(options)),
    cancel: async (reason) => cancelTask(client(), id, reason),
    restart: async (options) => restartTask(client(), id, options),
    pause: async () => pauseTask(client(), id),
    resume: async () => resumeTask(client(), id),
    ignore: async (reason) => ignoreTask(client(), id, reason),
  };
}

export function createSentJob<Result>(connection: () => JobConnection, tracker: Tracker): SentJob<Result> {
  return { ...createHandle<Result>(connection, tracker.id), tracker };
}

function resultOf<Result>({ id, status, detail, data }: Tracker): Result {
  if (status === 'done') return data.result as Result;
  throw new ReembedError('TaskFailed', `the job ${id} is ${status}: ${detail}`, { reason: status });
}
