import { z } from 'zod';
import { auditSchema } from './audit.ts';
import { type Duration, durationSchema } from './duration-schema.ts';
import { durationMs } from './durations.ts';
import { readEvery, timeZoneProblem } from './every.ts';
import { fieldIssues } from './issues.ts';
import { callOptionsSchema } from './jobs.ts';
import { overlapSchema, type ScheduledType, scheduledTypeSchema } from './schedules.ts';
import { syncSchema } from './sync-body.ts';

/** Temporal raises shorter times to this. */
const MIN_CATCH_UP_MS = 10_000;
const MAX_MS = 10 * 366 * 86_400_000;

const everySchema = z
  .union([z.number(), z.string().max(200)])
  .superRefine((every, ctx) => {
    const read = readEvery(every);
    if (typeof read === 'string') ctx.addIssue({ code: 'custom', message: read });
  })
  .describe(
    'An interval of whole seconds (`90s`, `1m`, a number of seconds), or a cron expression: five fields, seven ' +
      'fields with seconds first and years last, or a shorthand such as `@daily`.',
  )
  .meta({
    examples: ['0 9 * * MON-FRI'],
    anyOf: [
      { type: 'integer', minimum: 1, maximum: MAX_MS / 1_000 },
      { type: 'string', maxLength: 200 },
    ],
  });

const timeZoneSchema = z
  .string()
  .max(100)
  .superRefine((timeZone, ctx) => {
    const message = timeZoneProblem(timeZone);
    if (message !== undefined) ctx.addIssue({ code: 'custom', message });
  })
  .describe('Time zone of the cron expression; default: UTC.')
  .meta({ examples: ['Europe/Berlin'] });

function between(minMs: number, message: string) {
  return (duration: Duration, ctx: z.RefinementCtx) => {
    const ms = durationMs(duration);
    if (ms < minMs || ms > MAX_MS) ctx.addIssue({ code: 'custom', message });
  };
}

/** Times and policies of a schedule. */
export const scheduleTimesSchema = z.strictObject({
  every: everySchema,
  timeZone: timeZoneSchema.optional(),
  jitter: durationSchema
    .superRefine(between(0, 'at most 10 years'))
    .default('0s')
    .describe('Each run is delayed by a random time up to this, so that runs do not all start at once.'),
  overlap: overlapSchema.default('skip'),
  catchUp: durationSchema
    .superRefine(between(MIN_CATCH_UP_MS, 'from 10 seconds to 10 years'))
    .default('365d')
    .describe('How late a run may start that was missed while the Temporal server was unavailable.'),
  paused: z
    .boolean()
    .optional()
    .describe('No runs start until the schedule is resumed. An update without this field does not change it.'),
  note: z.string().max(1_000).optional().describe('A note for people, for instance why the schedule is paused.'),
  ifExists: z
    .enum(['update', 'refuse', 'keep'])
    .default('update')
    .describe(
      'If a schedule with this name and key exists: update it, refuse with `ScheduleExists`, or keep it unchanged.',
    ),
});

/** An interval has no time zone. */
export function requireZoneOfCron(times: { every: string | number; timeZone?: string }, ctx: z.RefinementCtx): void {
  const every = readEvery(times.every);
  if (times.timeZone === undefined || typeof every === 'string' || every.kind === 'cron') return;
  ctx.addIssue({
    code: 'custom',
    path: ['timeZone'],
    message: 'is only allowed with a cron expression: an interval has no time zone',
  });
}

export type ScheduleTimes = z.output<typeof scheduleTimesSchema>;
export type ScheduleTimesInput = z.input<typeof scheduleTimesSchema>;

/** Options of each run: those of one call, except the time and the id, which the schedule sets. */
export const scheduledOptionsSchema = callOptionsSchema.omit({ taskId: true, at: true, delay: true });
export type ScheduledOptions = z.input<typeof scheduledOptionsSchema>;

/** What a run of a schedule of this type takes as input. */
const BODIES = { audit: auditSchema, sync: syncSchema } as const;

/** The input of a task is the body of its call, without an id: each run has its own. */
function requireInputOfType(
  { type, input, options }: { type: ScheduledType; input?: unknown; options?: unknown },
  ctx: z.RefinementCtx,
): void {
  if (type === 'job') return;
  const add = (path: PropertyKey[], message: string) => ctx.addIssue({ code: 'custom', path, message });
  if (options !== undefined) add(['options'], 'is allowed for jobs only');
  const parsed = BODIES[type].safeParse(input);
  for (const { path, message } of parsed.error ? fieldIssues(parsed.error) : []) {
    add(['input', ...(path === '' ? [] : path.split('.'))], message);
  }
  if (parsed.data?.taskId !== undefined) add(['input', 'taskId'], 'must be left out: each run has an id of its own');
}

/** The desired state of a schedule, with the input of its runs. */
export const scheduleRequestSchema = scheduleTimesSchema
  .extend({
    type: scheduledTypeSchema
      .default('job')
      .describe('What each run is: the job of this name, or a task, whose schedule may have any name.'),
    input: z
      .unknown()
      .optional()
      .describe('Input of each run; omit it for jobs without input. Of an `audit` or a `sync`: the body of its call.'),
    options: scheduledOptionsSchema
      .optional()
      .describe('Options of each run, as in a call; they override those of the definition.'),
  })
  .superRefine(requireZoneOfCron)
  .superRefine(requireInputOfType)
  .meta({
    id: 'ScheduleRequest',
    examples: [{ every: '0 9 * * MON-FRI', timeZone: 'Europe/Berlin', input: { to: 'all' } }],
  });
export type ScheduleRequest = z.input<typeof scheduleRequestSchema>;
