import { randomUUID } from 'node:crypto';
import { startJob } from '../../client/temporal/jobs.ts';
import type { JobRun } from '../../contract/jobs.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { travelled } from '../../jobs/json.ts';
import { refuseOwnOptions, requireTask } from '../../jobs/known.ts';
import { jobHash, sendJob } from '../../jobs/send.ts';
import type { AcceptDependencies, AcceptOptions } from './accept.ts';

/** A request waits no longer for a server that is away; a program that sends a job waits a minute. */
const PATIENCE_MS = 20_000;

export type AcceptJobDependencies = Pick<AcceptDependencies, 'client' | 'taskQueue' | 'registry'>;

/**
 * Accepts a job by its name. Where the tasks are known, it is checked as if it were sent by code; otherwise the worker
 * that takes it does that. Errors: `JobUnknown`, `InvalidInput`, `TooLarge`, `TaskLocked`, `TemporalUnavailable`.
 */
export async function acceptJob(
  deps: AcceptJobDependencies,
  name: string,
  { input: given, ...call }: JobRun,
  { ignoreLock }: AcceptOptions = {},
): Promise<Tracker> {
  const { client, taskQueue, registry } = deps;
  const task = registry && requireTask(registry, name);
  refuseOwnOptions(task, call);
  if (task)
    return sendJob(task, given, call, { connection: { client, taskQueue }, ignoreLock, patienceMs: PATIENCE_MS });
  const { taskId = randomUUID(), ...options } = call;
  const input = travelled(`the input of ${name}`, given);
  return startJob(client, {
    taskId,
    taskQueue,
    input: { name, input, ...options },
    inputHash: jobHash(name, input),
    ignoreLock,
    patienceMs: PATIENCE_MS,
  });
}
