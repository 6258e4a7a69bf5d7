import { ReembedError } from '../contract/errors.ts';
import type { Tracker } from '../contract/tasks.ts';
import {
  cancelTask,
  getTracker,
  ignoreTask,
  pauseTask,
  restartTask,
  resumeTask,
  waitForTask,
} from '../temporal/index.ts';
import type { JobConnection, JobHandle, SentJob, WaitOptions } from './types.ts';

const MAX_WAIT_MS = 86_400_000;

export function createHandle<Result>(connection: () => JobConnection, id: string): JobHandle<Result> {
  const client = () => connection().client;
  const wait = ({ timeoutMs = MAX_WAIT_MS, signal }: WaitOptions = {}) => waitForTask(client(), id, timeoutMs, signal);
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
