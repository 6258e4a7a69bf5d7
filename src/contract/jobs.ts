import { z } from 'zod';
import { durationSchema } from './duration-schema.ts';
import { LIMITS } from './limits.ts';
import { taskIdSchema } from './task-bodies.ts';

/** Jobs, which are user functions run as tasks: their names and options. */

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

/** Behavior of a submission when a job with the same name and key is queued or running. */
export const ON_DUPLICATE = ['parallel', 'discard', 'serial', 'queue_one'] as const;
export type OnDuplicate = (typeof ON_DUPLICATE)[number];

/** Where the handler runs: in the worker process, in its own thread, or in its own process. */
export const ISOLATE = ['none', 'thread', 'process'] as const;
export type Isolate = (typeof ISOLATE)[number];

export const backOffSchema = z.strictObject({
  /** Wait before the second attempt. */
  initial: durationSchema.default('10s'),
  /** Factor by which each wait is longer than the previous one. */
  factor: z.number().min(1).max(100).default(2),
  /** Maximum wait; default: ten minutes, or `initial` where that is longer. */
  max: durationSchema.optional(),
});

/** A duration above zero. */
const someTime = durationSchema.refine((duration) => !/^0+(\.0+)?\D*$/.test(String(duration)), 'must be above 0');

/** Options that definitions and calls share, in the same form. */
const common = {
  timeout: someTime.describe(
    'Maximum time of one attempt; then its signal is aborted, and it fails with `TaskTimeout`. Default: `1h`.',
  ),
  bind: z
    .boolean()
    .describe(
      'The handler receives `{ uuid, workerId, attempt, signal, heartbeat, control, log }` first, then its input.',
    ),
  onDuplicate: z
    .enum(ON_DUPLICATE)
    .describe(
      '`parallel` (default): duplicates run at once. `discard`: the new job is ignored. `serial`: they run FIFO. ' +
        '`queue_one`: one job runs, one waits, others are ignored.',
    ),
  newest: z.boolean().describe('With `queue_one`: the waiting job runs with the input of the newest ignored job.'),
  maxAttempts: z.int().min(1).max(100).describe('Attempts before the job is exhausted. Default: 3.'),
  backOff: backOffSchema.describe('Wait between attempts.'),
  delay: durationSchema.describe('Delay before the job runs: seconds, or a text such as `90s` or `2d`.'),
  priority: z.int().min(1).max(5).describe('1 runs first, 5 last; default: 3.'),
  fairnessKey: z
    .string()
    .min(1)
    .max(64)
    .describe(
      'A queue takes jobs from each fairness key in turn, so that no key starves. Requires fairness on the server.',
    ),
  startTimeout: someTime.describe(
    'How long an attempt may wait for a worker of its queue; then it fails with `NoWorker`. Default: `24h`.',
  ),
  isolate: z.enum(ISOLATE).describe('For handlers that block the event loop; default: `none`.'),
} as const;

const jobOptionsSchema = z.strictObject(common).partial();

/** The options of one call, in a form that any language can write. */
export const callOptionsSchema = jobOptionsSchema.extend({
  taskId: taskIdSchema
    .optional()
    .describe('Id of the job: the same id with the same input is the same job. Default: a generated id.'),
  queue: queueNameSchema.optional().describe('The queue whose workers run the job.'),
  key: z
    .string()
    .min(1)
    .max(1_000)
    .optional()
    .describe('Jobs with the same name and key are duplicates; default: the input.'),
  /** Earliest time at which it runs; replaces `delay`. */
  at: z.union([z.iso.datetime({ offset: true }), z.date()]).optional(),
});
export type CallOptions = z.input<typeof callOptionsSchema>;

/** The same options in code: `queue` and `key` may be functions of the input, as in a definition. */
export interface CodeCallOptions<Input = never> extends Omit<CallOptions, 'queue' | 'key'> {
  queue?: string | ((input: Input) => string) | undefined;
  key?: string | ((input: Input) => string) | undefined;
}

/** Options that only the definition sets, unless its `mayOverride` leaves them to callers over HTTP. */
export const OWN_OPTIONS = ['bind', 'isolate'] as const;

/** The options of a definition, where `queue` and `key` may be functions of the input. */
export const definitionOptionsSchema = jobOptionsSchema.extend({
  queue: z.union([queueNameSchema, z.custom<(input: never) => string>(isFunction)]).optional(),
  key: z.custom<(input: never) => string>(isFunction, 'must be a function of the input').optional(),
  mayOverride: z
    .array(z.enum(OWN_OPTIONS))
    .optional()
    .describe('Which of `bind` and `isolate` HTTP calls and schedules may set; default: none.'),
});
type DefinitionOptionsInput = z.input<typeof definitionOptionsSchema>;

export interface DefinitionOptions<Input> extends Omit<DefinitionOptionsInput, 'queue' | 'key'> {
  queue?: string | ((input: Input) => string);
  key?: (input: Input) => string;
}

/** A job as the only argument of its workflow, or as the body of a call. */
export const jobSchema = callOptionsSchema.extend({
  name: jobNameSchema,
  input: z.unknown().optional(),
});

/** The body of a call by name, in a form that any language can write. */
export const jobRunSchema = callOptionsSchema
  .extend({
    input: z.unknown().optional().describe('Omit it for jobs without input.'),
    at: z.iso.datetime({ offset: true }).optional().describe('Earliest time at which the job runs; replaces `delay`.'),
  })
  .meta({
    id: 'JobRun',
    examples: [{ input: { to: 'a@example.com' }, queue: 'mail', timeout: '30s' }],
  });
export type JobRun = z.input<typeof jobRunSchema>;

/** The same body with the name of the job. */
export const namedJobRunSchema = jobRunSchema.extend({ name: jobNameSchema.describe('Name of the job.') }).meta({
  id: 'NamedJobRun',
  examples: [{ name: 'send-mail', input: { to: 'a@example.com' } }],
});

/** Public information about a definition. */
export const jobInfoSchema = z.object({
  name: z.string(),
  description: z.string().nullable().describe('Description for people.'),
  options: z
    .record(z.string(), z.unknown())
    .describe('Options set by the definition; omitted options have the defaults of a call.'),
  byInput: z.array(z.string()).describe('Options that the definition computes from the input.'),
  inputSchema: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe('JSON Schema of the input; null for jobs without input.'),
});
export type JobInfo = z.output<typeof jobInfoSchema>;

export const jobListSchema = z
  .object({
    jobs: z.array(jobInfoSchema),
    known: z
      .boolean()
      .describe(
        'False when the API was started without job definitions: it accepts any name, and the worker checks it.',
      ),
  })
  .meta({ id: 'JobList' });
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
