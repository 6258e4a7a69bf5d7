import { createHash, randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { canonicalJson } from '../contract/canonical-json.ts';
import { ReembedError } from '../contract/errors.ts';
import { fieldIssues, issuesText } from '../contract/issues.ts';
import type { JobPlan } from '../contract/job-plan.ts';
import type { CodeCallOptions } from '../contract/jobs.ts';
import type { Json } from '../contract/json.ts';
import type { Tracker } from '../contract/tasks.ts';
import { hideOf } from '../temporal/encryption/keyed-hash.ts';
import { startJob } from '../temporal/jobs/start-job.ts';
import { travelled } from './json.ts';
import { planJob } from './options.ts';
import type { AnyTask, JobConnection } from './types.ts';

export interface SendOptions {
  /** Default: the connection of the task's registry. */
  connection?: JobConnection;
  /** First end the job of the same id, if there is one. */
  ignoreLock?: boolean;
  /** How long sending is repeated while the server does not answer; default: 60,000 ms. */
  patienceMs?: number;
}

const PATIENCE_MS = 60_000;

/**
 * Sends a job and returns its tracker. Errors: `InvalidInput`, `TooLarge`, `NotConnected`, `TaskLocked`, and
 * `TemporalUnavailable` with the id of a job that may run.
 */
export async function sendJob(
  task: AnyTask,
  given: unknown,
  call: CodeCallOptions,
  { connection = task.registry.connection, ignoreLock, patienceMs = PATIENCE_MS }: SendOptions = {},
): Promise<Tracker> {
  const { client, taskQueue } = connection;
  const { sent, input } = await checkInput(task, given);
  const plan = hidden(client, planJob(task, { input, sent }, call));
  const { name } = task;
  await connection.check?.();
  return startJob(client, {
    taskId: call.taskId ?? randomUUID(),
    taskQueue,
    input: { name, input: sent },
    plan,
    inputHash: jobHash(name, sent),
    ignoreLock,
    patienceMs,
  });
}

/**
 * Hides the key and fairness key of a plan if the client encrypts, so that they reveal nothing about the input:
 * Temporal stores lane ids and fairness keys unencrypted.
 */
export function hidden(client: Client, plan: JobPlan): JobPlan {
  const hide = hideOf(client);
  const { keyHash, fairnessKey } = plan;
  return { ...plan, keyHash: hide(keyHash), fairnessKey: fairnessKey === null ? null : hide(fairnessKey) };
}

/**
 * Validates an input in the form in which it arrives: as JSON, by the schema of the task. `sent` is that JSON, `input`
 * the result of the schema. Errors: `InvalidInput` with each bad field, `TooLarge`.
 */
export async function checkInput(
  task: Pick<AnyTask, 'name' | 'input'>,
  given: unknown,
): Promise<{ sent: Json | undefined; input: unknown }> {
  const what = `the input of ${task.name}`;
  const sent = travelled(what, given);
  const parsed = await task.input.safeParseAsync(sent);
  if (parsed.success) return { sent, input: parsed.data };
  const issues = fieldIssues(parsed.error, ['input']);
  throw new ReembedError('InvalidInput', `${what}: ${issuesText(issues)}`, { issues });
}

/** Returns a hash that shows whether two jobs of one id are the same. */
export function jobHash(name: string, sent: Json | undefined): string {
  return createHash('sha256')
    .update(canonicalJson({ name, input: sent }))
    .digest('hex');
}
