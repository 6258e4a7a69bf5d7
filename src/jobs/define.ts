import { z } from 'zod';
import { ReembedError } from '../contract/errors.ts';
import { fieldIssues, issuesText } from '../contract/issues.ts';
import { type DefinitionOptions, jobNameSchema } from '../contract/jobs.ts';
import { DEFAULT_KEY } from '../contract/schedules.ts';
import { createHandle, createSentJob } from './handle.ts';
import { checkDefinitionOptions } from './options.ts';
import { globalRegistry } from './registry.ts';
import { createScheduleHandle } from './schedule-handle.ts';
import { declareSchedule } from './schedules.ts';
import { sendJob } from './send.ts';
import type { AnyTask, BoundHandler, Handler, Registry, Task } from './types.ts';

/** A definition: name, schema of the input, options. */
export interface Definition<Given, Input> extends DefinitionOptions<Input> {
  /** Name of the task. Do not change it: waiting jobs are looked up by it. */
  name: string;
  /** Description for people. */
  description?: string;
  /** Schema of the input. It validates the input as JSON, since that is how it is sent. Default: no input. */
  input?: z.ZodType<Input, Given>;
  /** Default: the global registry. */
  registry?: Registry;
}

/**
 * Defines a task: a durable function with options, run by a worker that has this definition.
 * Errors: `InvalidInput` for a bad name or option, `NameTaken`.
 *
 * @example
 * export const sendMail = defineTask(
 *   { name: 'send-mail', input: z.object({ to: z.email() }), timeout: '30s', queue: 'mail' },
 *   async ({ to }) => smtp.send(to),
 * );
 * await sendMail.delay({ to: 'a@example.com' });
 */
export function defineTask<Result, Given = void, Input = Given>(
  definition: Definition<Given, Input> & { bind: true },
  handler: BoundHandler<Input, Result>,
): Task<Given, Input, Result>;
export function defineTask<Result, Given = void, Input = Given>(
  definition: Definition<Given, Input> & { bind?: false },
  handler: Handler<Input, Result>,
): Task<Given, Input, Result>;
export function defineTask<Result, Given, Input>(
  definition: Definition<Given, Input>,
  handler: Handler<Input, Result> | BoundHandler<Input, Result>,
): Task<Given, Input, Result> {
  const { name, description, input = z.undefined(), registry = globalRegistry(), ...options } = definition;
  checkName(name);
  checkParts(name, input, handler);
  checkDefinitionOptions(name, options);
  const connection = () => registry.connection;
  const applyAsync: Task<Given, Input, Result>['applyAsync'] = async (given, call = {}) =>
    createSentJob<Result>(connection, await sendJob(task, given, call));
  const task: Task<Given, Input, Result> = Object.freeze({
    [TASK]: true,
    name,
    description,
    input: input as z.ZodType<Input, Given>,
    options,
    handler,
    registry,
    applyAsync,
    delay: (given: Given) => applyAsync(given),
    at: async (date, given, call) => applyAsync(given, { ...call, at: date }),
    every: (every, given, everyOptions) => {
      const declared = declareSchedule(task, every, given, everyOptions);
      registry.declare(declared);
      return createScheduleHandle(task, declared.key);
    },
    schedule: (key = DEFAULT_KEY) => createScheduleHandle(task, key),
    handle: (taskId) => createHandle<Result>(connection, taskId),
  } satisfies Task<Given, Input, Result> & { [TASK]: true });
  registry.add(task);
  return task;
}

const TASK = Symbol.for('reembed.jobs.task');

/** Returns true if the value was created by `defineTask`, of this copy of the package or another. */
export function isTask(value: unknown): value is AnyTask {
  return typeof value === 'object' && value !== null && TASK in value;
}

/** Validates arguments that callers without types can get wrong. */
function checkParts(name: string, input: unknown, handler: unknown): void {
  const isSchema = typeof input === 'object' && input !== null && 'safeParseAsync' in input;
  const issues = [
    ...(isSchema ? [] : [{ path: 'input', message: 'must be a zod schema, such as z.object({ to: z.string() })' }]),
    ...(typeof handler === 'function' ? [] : [{ path: 'handler', message: 'must be a function: the second argument' }]),
  ];
  if (issues.length === 0) return;
  throw new ReembedError('InvalidInput', `the definition of ${name}: ${issuesText(issues)}`, { issues });
}

function checkName(name: string): void {
  const { success, error } = jobNameSchema.safeParse(name);
  if (success) return;
  const issues = fieldIssues(error, ['name']);
  throw new ReembedError('InvalidInput', `a task cannot be named ${JSON.stringify(name)}: ${issues[0]?.message}`, {
    issues,
  });
}
