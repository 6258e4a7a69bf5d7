import { invalidField, ReembedError } from '../contract/errors.ts';
import { fieldIssues, issuesText } from '../contract/issues.ts';
import { type ScheduleRequest, scheduleRequestSchema } from '../contract/schedule-request.ts';
import { DEFAULT_KEY, scheduleKeySchema } from '../contract/schedules.ts';
import { allSchedules } from '../temporal/schedules/list.ts';
import { type DesiredSchedule, putSchedule, removeSchedule } from '../temporal/schedules/schedules.ts';
import { checkScheduled } from './lookup.ts';
import type { AnyTask, DeclaredSchedule, EveryOptions, JobConnection, Registry } from './types.ts';

/** Validates a schedule without its input. @throws ReembedError `InvalidInput` with each bad field */
export function readSchedule(task: AnyTask, key: string, request: ScheduleRequest): DeclaredSchedule {
  const what = `the schedule ${key} of ${task.name}`;
  const parsed = scheduleRequestSchema.safeParse(request);
  const issues = [
    ...fieldIssues(scheduleKeySchema.safeParse(key).error ?? NO_ISSUES, ['key']),
    ...fieldIssues(parsed.error ?? NO_ISSUES),
  ];
  if (!parsed.success || issues.length > 0) {
    throw new ReembedError('InvalidInput', `${what}: ${issuesText(issues)}`, { issues });
  }
  return { ...parsed.data, task, name: task.name, key };
}

const NO_ISSUES = { issues: [] } as unknown as Parameters<typeof fieldIssues>[0];

/** Declares a schedule, which a worker with the task creates or changes when it starts. Error: `InvalidInput`. */
export function declareSchedule(
  task: AnyTask,
  every: string | number,
  input: unknown,
  { key = DEFAULT_KEY, ...options }: EveryOptions = {},
): DeclaredSchedule {
  const declared = readSchedule(task, key, { every, input, ...options });
  if (declared.ifExists !== 'refuse') return declared;
  const message = 'must be update or keep: a declared schedule exists when a worker starts again';
  throw invalidField('ifExists', message, `the schedule ${key} of ${task.name}: ifExists ${message}`);
}

/** How many schedules were created, changed, left unchanged, and removed. */
export interface SyncResult {
  created: number;
  updated: number;
  unchanged: number;
  removed: number;
}

/**
 * Creates the schedules that the tasks of a registry declare, and changes those that differ. With `prune`, removes
 * schedules that are no longer declared, but not those created through the API, the command line or by key in the code.
 * Errors: `InvalidInput` for an input that the task does not accept, `TemporalUnavailable`.
 */
export async function syncSchedules(
  registry: Registry,
  { client, taskQueue }: JobConnection,
  { prune = false }: { prune?: boolean } = {},
): Promise<SyncResult> {
  const count = { created: 0, updated: 0, unchanged: 0, removed: 0 };
  // All are validated before any is changed.
  const wishes: DesiredSchedule[] = [];
  for (const { task, ...declared } of declaredFor(registry)) {
    const input = await checkScheduled(task, declared.input, declared.options);
    wishes.push({ ...declared, input, taskQueue, declared: true });
  }
  for (const wish of wishes) {
    const { outcome } = await putSchedule(client, wish);
    count[outcome === 'kept' ? 'unchanged' : outcome]++;
  }
  if (!prune) return count;
  const known = new Set(wishes.map(signatureText));
  for await (const schedule of allSchedules(client, { taskQueue })) {
    if (!schedule.declared || known.has(signatureText(schedule))) continue;
    await removeSchedule(client, { taskQueue, ...schedule }).catch((error: unknown) => {
      // Another starting worker has removed it.
      if (!(error instanceof ReembedError) || error.type !== 'ScheduleNotFound') throw error;
    });
    count.removed++;
  }
  return count;
}

/** Returns the declared schedules, also from the original registries of tasks that were added to this one. */
function declaredFor(registry: Registry): DeclaredSchedule[] {
  const registries = new Set([registry, ...registry.tasks.map((task) => task.registry)]);
  const declared = [...registries].flatMap(({ schedules }) => schedules);
  return declared.filter(({ task }) => registry.get(task.name) === task);
}

function signatureText({ name, key }: { name: string; key: string }): string {
  return JSON.stringify([name, key]);
}
