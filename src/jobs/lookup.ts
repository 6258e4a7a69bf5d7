import { z } from 'zod';
import { ReembedError } from '../contract/errors.ts';
import { issuesText } from '../contract/issues.ts';
import { type CallOptions, type JobInfo, OWN_OPTIONS } from '../contract/jobs.ts';
import type { Json } from '../contract/json.ts';
import { travelled } from './json.ts';
import { planJob } from './options.ts';
import { checkInput } from './send.ts';
import type { AnyTask, Registry } from './types.ts';

/** Returns the task of a name. @throws ReembedError `JobUnknown` that lists the known names */
export function requireTask(registry: Registry, name: string): AnyTask {
  const task = registry.get(name);
  if (task) return task;
  const names = registry.tasks.map((known) => known.name).sort();
  const known = names.length === 0 ? 'no job is defined' : `defined jobs: ${names.join(', ')}`;
  throw new ReembedError('JobUnknown', `there is no job ${name}; ${known}`, {
    issues: [{ path: 'path.name', message: `must be the name of a job; ${known}` }],
  });
}

/**
 * Rejects options that a caller over HTTP may not set: how the handler is called and where it runs, unless the
 * definition allows it. Without the definition, all of these options are rejected.
 * @throws ReembedError `InvalidInput` that names each such option
 */
export function refuseOwnOptions(task: AnyTask | undefined, call: CallOptions = {}, prefix = ''): void {
  const issues = OWN_OPTIONS.filter(
    (option) => call[option] !== undefined && !task?.options.mayOverride?.includes(option),
  ).map((option) => ({
    path: prefix + option,
    message: `can be set only by the definition, unless its mayOverride includes ${option}`,
  }));
  if (issues.length > 0) throw new ReembedError('InvalidInput', issuesText(issues), { issues });
}

/**
 * Validates the input and options of a schedule's runs, and returns the input as JSON.
 * @throws ReembedError `InvalidInput` with each bad field, `TooLarge`
 */
export async function checkScheduled(
  task: AnyTask,
  given: unknown,
  options: CallOptions | undefined,
): Promise<Json | undefined> {
  const { sent, input } = await checkInput(task, given);
  try {
    planJob(task, { input, sent }, options);
  } catch (error) {
    if (!(error instanceof ReembedError)) throw error;
    const issues = error.issues.map(({ path, message }) => ({ path: `options.${path}`, message }));
    throw new ReembedError(error.type, error.message, { issues, cause: error });
  }
  return sent;
}

/**
 * Like `checkScheduled`, by name and for a caller over HTTP. Without a registry, the worker validates at each run.
 * Additional error: `JobUnknown`.
 */
export async function checkScheduledByName(
  registry: Registry | undefined,
  name: string,
  given: unknown,
  options: CallOptions | undefined,
): Promise<Json | undefined> {
  const task = registry && requireTask(registry, name);
  refuseOwnOptions(task, options, 'options.');
  return task ? checkScheduled(task, given, options) : travelled(`the input of ${name}`, given);
}

/** Returns the public description of a task. */
export function infoOf({ name, description, options, input }: AnyTask): JobInfo {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return {
    name,
    description: description ?? null,
    options: Object.fromEntries(entries.filter(([, value]) => typeof value !== 'function')),
    byInput: entries.flatMap(([option, value]) => (typeof value === 'function' ? [option] : [])),
    inputSchema: schemaOf(input),
  };
}

/** Converts the input schema to JSON Schema; null without an input. Types that JSON Schema lacks allow any value. */
function schemaOf(input: z.ZodType): JobInfo['inputSchema'] {
  if (input instanceof z.ZodUndefined) return null;
  return z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) as JobInfo['inputSchema'];
}
