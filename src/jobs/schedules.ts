import { allSchedules } from '../client/temporal/schedule-list.ts';
import { putSchedule, removeSchedule, type ScheduleWish } from '../client/temporal/schedules.ts';
import { ReembedError } from '../contract/errors.ts';
import { fieldIssues, issuesText } from '../contract/issues.ts';
import {
  type ScheduledOptions,
  type ScheduleRequest,
  type ScheduleTimesInput,
  scheduleRequestSchema,
} from '../contract/schedule-request.ts';
import { DEFAULT_KEY, scheduleKeySchema } from '../contract/schedules.ts';
import { checkScheduled } from './known.ts';
import type { JobConnection, Registry } from './registry.ts';
import type { AnyTask } from './task.ts';

/** When and how a schedule runs, and the options of each run. */
export interface ScheduleOptions extends Omit<ScheduleTimesInput, 'every'> {
  /** Of each run, as in a call: they win over those of the definition. */
  options?: ScheduledOptions;
}

/** Of a schedule that the code declares. It is there when a worker starts again, so it cannot be refused then. */
export interface EveryOptions extends Omit<ScheduleOptions, 'ifExists'> {
  /** Tells the schedules of one task apart: `default` if not given. */
  key?: string;
  ifExists?: 'update' | 'keep';
}

/** A schedule that the code declares, as it is to be. */
export interface DeclaredSchedule extends Omit<ScheduleWish, 'taskQueue' | 'declared'> {
  task: AnyTask;
}

/** Checks what a schedule is to be, but for the input. @throws ReembedError `InvalidInput` with each bad field */
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

/** Declares a schedule: it is made, or changed, when a worker starts that knows the task. Error: `InvalidInput`. */
export function declareSchedule(
  task: AnyTask,
  every: string | number,
  input: unknown,
  { key = DEFAULT_KEY, ...options }: EveryOptions = {},
): DeclaredSchedule {
  const declared = readSchedule(task, key, { every, input, ...options });
  if (declared.ifExists !== 'refuse') return declared;
  const message = 'must be update or keep: what the code declares is there when a worker starts again';
  throw new ReembedError('InvalidInput', `the schedule ${key} of ${task.name}: ifExists ${message}`, {
    issues: [{ path: 'ifExists', message }],
  });
}

/** How many schedules were made, changed, left as they were, and removed. */
export interface BroughtInLine {
  created: number;
  updated: number;
  unchanged: number;
  removed: number;
}

/**
 * Makes the schedules that the tasks of a registry declare, and changes those that are otherwise. With `prune` those
 * that were declared before and are no longer are removed; those made through the API, the command line or by name in
 * the code stay. Errors: `InvalidInput` for an input that the task does not take, `TemporalUnavailable`.
 */
export async function bringSchedulesInLine(
  registry: Registry,
  { client, taskQueue }: JobConnection,
  { prune = false }: { prune?: boolean } = {},
): Promise<BroughtInLine> {
  const count = { created: 0, updated: 0, unchanged: 0, removed: 0 };
  // All are checked before any is changed.
  const wishes: ScheduleWish[] = [];
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
      // Another worker that starts has removed it.
      if (!(error instanceof ReembedError) || error.type !== 'ScheduleNotFound') throw error;
    });
    count.removed++;
  }
  return count;
}

/** Tasks may have been added to this registry from others, in which they declare. */
function declaredFor(registry: Registry): DeclaredSchedule[] {
  const registries = new Set([registry, ...registry.tasks.map((task) => task.registry)]);
  const declared = [...registries].flatMap(({ schedules }) => schedules);
  return declared.filter(({ task }) => registry.get(task.name) === task);
}

function signatureText({ name, key }: { name: string; key: string }): string {
  return JSON.stringify([name, key]);
}
