import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { durationSchema, taskIdSchema } from './tasks.ts';

/** Jobs: the user's own functions as tasks. Their names, and every option with what it means. */

export const jobNameSchema = z
  .string()
  .min(1)
  .max(LIMITS.nameChars)
  .regex(/^[A-Za-z0-9_.:-]+$/, 'letters, digits and any of . : - _')
  .meta({ examples: ['send-mail'] });

export const queueNameSchema = z
  .string()
  .min(1)
  .max(LIMITS.nameChars)
  .regex(/^[A-Za-z0-9_.-]+$/, 'letters, digits and any of . - _');

/** What a submission does when a job with the same name and key is queued or runs. */
export const ON_DUPLICATE = ['parallel', 'discard', 'serial', 'queue_one'] as const;
export type OnDuplicate = (typeof ON_DUPLICATE)[number];

/** Where the handler runs: with the worker, in a thread of its own, or in a process of its own. */
export const ISOLATE = ['none', 'thread', 'process'] as const;
export type Isolate = (typeof ISOLATE)[number];

export const backOffSchema = z.strictObject({
  /** Before the second attempt. */
  initial: durationSchema.default('10s'),
  /** Each further wait is so many times the one before. */
  factor: z.number().min(1).max(100).default(2),
  /** The longest: ten minutes, or `initial` where that is longer, if not given. */
  most: durationSchema.optional(),
});

/** A length of time that is not zero. */
const someTime = durationSchema.refine((duration) => !/^0+(\.0+)?\D*$/.test(String(duration)), 'must be above 0');

/** Options that a definition and a call have in common, in the same form. */
const common = {
  timeout: someTime.describe(
    'The longest an attempt may take: its signal is aborted then, and it fails as `TaskTimeout`. `1h` if not given.',
  ),
  bind: z
    .boolean()
    .describe('The handler gets `{ uuid, workerId, attempt, signal, heartbeat, control, log }` first, then its input.'),
  onDuplicate: z
    .enum(ON_DUPLICATE)
    .describe(
      '`parallel` (if not given): they run at once. `discard`: it is ignored. `serial`: it waits for its turn, first in, ' +
        'first out. `queue_one`: one runs, one waits, others are ignored.',
    ),
  newest: z
    .boolean()
    .describe('With `queue_one`: the one that waits runs with the input of the newest that was ignored.'),
  maxAttempts: z.int().min(1).max(100).describe('Attempts before it is exhausted. 3 if not given.'),
  backOff: backOffSchema.describe('How long it waits between attempts.'),
  delay: durationSchema.describe('How long it waits before it runs: seconds, or a text such as `90s` or `2d`.'),
  priority: z.int().min(1).max(5).describe('1 goes first, 5 last; 3 if not given.'),
  fairnessKey: z
    .string()
    .min(1)
    .max(64)
    .describe(
      'Jobs of a queue are taken in turn from each fairness key, so that none starves. Needs a server with fairness on.',
    ),
  startTimeout: someTime.describe(
    'How long an attempt may wait for a worker of its queue; then it fails as `NoWorker`. `24h` if not given.',
  ),
  isolate: z.enum(ISOLATE).describe('For handlers that block the event loop; `none` if not given.'),
} as const;

const jobOptionsSchema = z.strictObject(common).partial();

/** The options of one call, as a person or a program in any language writes them. */
export const callOptionsSchema = jobOptionsSchema.extend({
  taskId: taskIdSchema
    .optional()
    .describe('Names the job: the same id with the same input is the same job. Made up if not given.'),
  queue: queueNameSchema.optional().describe('The queue whose workers run it.'),
  key: z
    .string()
    .min(1)
    .max(1_000)
    .optional()
    .describe('What makes it a duplicate of others of its name; the input if not given.'),
  /** When it runs, never before: instead of `delay`. */
  at: z.union([z.iso.datetime({ offset: true }), z.date()]).optional(),
});
export type CallOptions = z.input<typeof callOptionsSchema>;

/** The same in code: `queue` and `key` may be functions of the input, as in a definition. */
export interface CodeCallOptions<Input = never> extends Omit<CallOptions, 'queue' | 'key'> {
  queue?: string | ((input: Input) => string) | undefined;
  key?: string | ((input: Input) => string) | undefined;
}

/** How the handler is called and where it runs is the definition's business; it may leave these to callers over HTTP. */
export const OWN_OPTIONS = ['bind', 'isolate'] as const;

/** The options of a definition; `queue` and `key` may be functions of the input there. */
export const definitionOptionsSchema = jobOptionsSchema.extend({
  queue: z.union([queueNameSchema, z.custom<(input: never) => string>(isFunction)]).optional(),
  key: z.custom<(input: never) => string>(isFunction, 'must be a function of the input').optional(),
  mayOverride: z
    .array(z.enum(OWN_OPTIONS))
    .optional()
    .describe('Which of `bind` and `isolate` calls and schedules over HTTP may set; none if not given.'),
});
type DefinitionOptionsInput = z.input<typeof definitionOptionsSchema>;

export interface DefinitionOptions<Input> extends Omit<DefinitionOptionsInput, 'queue' | 'key'> {
  queue?: string | ((input: Input) => string);
  key?: (input: Input) => string;
}

/** A job as the one argument of its workflow, or the body of a call. */
export const jobSchema = callOptionsSchema.extend({
  name: jobNameSchema,
  input: z.unknown().optional(),
});
export type JobBody = z.input<typeof jobSchema>;

/** The body of a call by name: what a program in any language can write. */
export const jobRunSchema = callOptionsSchema.extend({
  input: z.unknown().optional().describe('None for jobs that take none.'),
  at: z.iso.datetime({ offset: true }).optional().describe('When it runs, never before: instead of `delay`.'),
});
export type JobRun = z.input<typeof jobRunSchema>;

/** The same with the name in it. */
export const namedJobRunSchema = jobRunSchema.extend({ name: jobNameSchema.describe('Name of the job.') });

/** What is known of a definition. */
export const jobInfoSchema = z.object({
  name: z.string(),
  description: z.string().nullable().describe('What it does, for people.'),
  options: z
    .record(z.string(), z.unknown())
    .describe('As the definition has them; what it leaves out is as a call of it has it by default.'),
  byInput: z.array(z.string()).describe('Options that the definition works out from the input.'),
  inputSchema: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe('JSON Schema of the input; null when it takes none.'),
});
export type JobInfo = z.output<typeof jobInfoSchema>;

export const jobListSchema = z.object({
  jobs: z.array(jobInfoSchema),
  known: z
    .boolean()
    .describe('False when the API was started without the tasks: any name can be run then, and the worker checks it.'),
});
export type JobList = z.output<typeof jobListSchema>;

export const JOB_DEFAULTS = {
  timeout: '1h',
  onDuplicate: 'parallel',
  maxAttempts: 3,
  priority: 3,
  startTimeout: '24h',
  isolate: 'none',
} as const;

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}
