import { createHash, randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { hideOf } from '../client/temporal/encryption/keyed-hash.ts';
import { startJob } from '../client/temporal/jobs.ts';
import { ReembedError } from '../contract/errors.ts';
import { fieldIssues, issuesText } from '../contract/issues.ts';
import type { CodeCallOptions } from '../contract/jobs.ts';
import { canonicalJson, type Json } from '../contract/json.ts';
import type { Tracker } from '../contract/tasks.ts';
import type { JobPlan } from '../contract/workflow-inputs.ts';
import { travelled } from './json.ts';
import { planJob } from './options.ts';
import type { JobConnection } from './registry.ts';
import type { AnyTask } from './task.ts';

export interface SendOptions {
  /** That of the task's registry if not given. */
  connection?: JobConnection;
  /** End the job of the same id first, if there is one. */
  ignoreLock?: boolean;
  /** How long it is sent again while the server does not answer: a minute if not given. */
  patienceMs?: number;
}

const PATIENCE_MS = 60_000;

/**
 * Sends a job and returns its tracker. Errors: `InvalidInput`,
 * `TooLarge`, `NotConnected`, `TaskLocked`, `TemporalUnavailable`, which carries the id of a job that may run.
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
 * A plan whose key and fairness key tell nothing of the input to whoever reads Temporal, where its client encrypts: the
 * names of lanes and the shares of queues stand there in the clear.
 */
export function hidden(client: Client, plan: JobPlan): JobPlan {
  const hide = hideOf(client);
  const { keyHash, fairnessKey } = plan;
  return { ...plan, keyHash: hide(keyHash), fairnessKey: fairnessKey === null ? null : hide(fairnessKey) };
}

/**
 * Checks an input as it will arrive: as JSON, by the schema of the task. `sent` is that JSON, `input` what the schema
 * made of it. Errors: `InvalidInput` with each bad field, `TooLarge`.
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

/** Tells whether two jobs of one id are the same. */
export function jobHash(name: string, sent: Json | undefined): string {
  return createHash('sha256')
    .update(canonicalJson({ name, input: sent }))
    .digest('hex');
}
