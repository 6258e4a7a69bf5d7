import { randomUUID } from 'node:crypto';
import type { JobRun } from '../../contract/jobs.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { travelled } from '../../jobs/json.ts';
import { refuseOwnOptions, requireTask } from '../../jobs/lookup.ts';
import { jobHash, sendJob } from '../../jobs/send.ts';
import { startJob } from '../../temporal/jobs/start-job.ts';
import type { AcceptOptions } from './accept-task.ts';
import type { AcceptDependencies } from './options.ts';

/** Max wait of a request for an unreachable server; a program that sends a job waits a minute. */
const PATIENCE_MS = 20_000;

export type AcceptJobDependencies = Pick<AcceptDependencies, 'client' | 'taskQueue' | 'registry' | 'patienceMs'>;

/**
 * Accepts a job by its name. If the jobs are known, it is checked as if it were sent by code; otherwise the worker that
 * takes it checks it. Errors: `JobUnknown`, `InvalidInput`, `TooLarge`, `TaskLocked`, `TemporalUnavailable`.
 */
export async function acceptJob(
  deps: AcceptJobDependencies,
  name: string,
  { input: given, ...call }: JobRun,
  { ignoreLock }: AcceptOptions = {},
): Promise<Tracker> {
  const { client, taskQueue, registry, patienceMs = PATIENCE_MS } = deps;
  const task = registry && requireTask(registry, name);
  refuseOwnOptions(task, call);
  if (task) return sendJob(task, given, call, { connection: { client, taskQueue }, ignoreLock, patienceMs });
  const { taskId = randomUUID(), ...options } = call;
  const input = travelled(`the input of ${name}`, given);
  return startJob(client, {
    taskId,
    taskQueue,
    input: { name, input, ...options },
    inputHash: jobHash(name, input),
    ignoreLock,
    patienceMs,
  });
}
