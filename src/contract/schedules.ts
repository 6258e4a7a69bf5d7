import { z } from 'zod';
import { durationMs } from './durations.ts';
import { readEvery, timeZoneProblem } from './every.ts';
import { callOptionsSchema } from './jobs.ts';
import { type Duration, durationSchema } from './tasks.ts';

/**
 * What becomes of a run that is due while an earlier one has not ended. The names are those of Temporal's policies:
 * leave it out; keep one, or all, until then; start it beside; or cancel, or terminate, the one that runs.
 */
export const OVERLAPS = ['skip', 'buffer_one', 'buffer_all', 'allow_all', 'cancel_other', 'terminate_other'] as const;
export const overlapSchema = z
  .enum(OVERLAPS)
  .describe(
    'What becomes of a run that is due while an earlier one has not ended: leave it out; keep one, or all, until then; ' +
      'start it beside; cancel, or terminate, the one that runs.',
  );
export type Overlap = z.output<typeof overlapSchema>;

/** Tells the schedules of one job apart. */
export const scheduleKeySchema = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9_.:@-]+$/, 'letters, digits and any of . : @ - _')
  .refine((key) => key !== '.' && key !== '..', 'must not be . or .., which no URL can name')
  .meta({ examples: ['default'] });

/** Of a schedule that is the only one of its job. */
export const DEFAULT_KEY = 'default';

/** Temporal takes a shorter time for this. */
const SHORTEST_CATCH_UP_MS = 10_000;
const LONGEST_MS = 10 * 366 * 86_400_000;

const everySchema = z
  .union([z.number(), z.string().max(200)])
  .superRefine((every, ctx) => {
    const read = readEvery(every);
    if (typeof read === 'string') ctx.addIssue({ code: 'custom', message: read });
  })
  .describe(
    'An interval of whole seconds (`90s`, `1m`, a number of seconds), or a cron expression: of five fields, of seven ' +
      'with seconds before and years behind them, or one such as `@daily`.',
  )
  .meta({ examples: ['0 9 * * MON-FRI'] });

const timeZoneSchema = z
  .string()
  .max(100)
  .superRefine((timeZone, ctx) => {
    const message = timeZoneProblem(timeZone);
    if (message !== undefined) ctx.addIssue({ code: 'custom', message });
  })
  .describe('In which a cron expression is read: UTC if not given.')
  .meta({ examples: ['Europe/Berlin'] });

function between(leastMs: number, message: string) {
  return (duration: Duration, ctx: z.RefinementCtx) => {
    const ms = durationMs(duration);
    if (ms < leastMs || ms > LONGEST_MS) ctx.addIssue({ code: 'custom', message });
  };
}

/** When a schedule runs, and how. */
export const scheduleTimesSchema = z.strictObject({
  every: everySchema,
  timeZone: timeZoneSchema.optional(),
  jitter: durationSchema
    .superRefine(between(0, 'at most 10 years'))
    .default('0s')
    .describe('Each run comes up to this much later, by chance, so that not everything begins at once.'),
  overlap: overlapSchema.default('skip'),
  catchUp: durationSchema
    .superRefine(between(SHORTEST_CATCH_UP_MS, 'from 10 seconds to 10 years'))
    .default('365d')
    .describe('How late a run may be that was missed while the Temporal server was away.'),
  paused: z
    .boolean()
    .optional()
    .describe('Nothing runs until it is resumed. An update without it leaves this as it is.'),
  note: z.string().max(1_000).optional().describe('For people, for instance why it is paused.'),
  ifExists: z
    .enum(['update', 'refuse', 'keep'])
    .default('update')
    .describe('When there is one of this name and key: change it, refuse with `ScheduleExists`, or leave it as it is.'),
});

/** An interval has no time zone. */
export function requireZoneOfCron(times: { every: string | number; timeZone?: string }, ctx: z.RefinementCtx): void {
  const every = readEvery(times.every);
  if (times.timeZone === undefined || typeof every === 'string' || every.kind === 'cron') return;
  ctx.addIssue({ code: 'custom', path: ['timeZone'], message: 'only with a cron expression: an interval has none' });
}

export type ScheduleTimes = z.output<typeof scheduleTimesSchema>;
export type ScheduleTimesInput = z.input<typeof scheduleTimesSchema>;

/** Of each run: those of one call, but for when it runs and how it is named, which the schedule says. */
export const scheduledOptionsSchema = callOptionsSchema.omit({ taskId: true, at: true, delay: true });
export type ScheduledOptions = z.input<typeof scheduledOptionsSchema>;

/** A schedule as it is wanted, with what each run gets. */
export const scheduleRequestSchema = scheduleTimesSchema
  .extend({
    input: z.unknown().optional().describe('What each run gets: none for jobs that take none.'),
    options: scheduledOptionsSchema
      .optional()
      .describe('Of each run, as in a call: they win over those of the definition.'),
  })
  .superRefine(requireZoneOfCron);
export type ScheduleRequest = z.input<typeof scheduleRequestSchema>;

const taskTime = z.iso.datetime();

/** What anyone can ask about a schedule. */
export const scheduleSchema = z.object({
  id: z.string().describe("Of Temporal's schedule."),
  name: z.string().describe('Of the job.'),
  key: z.string(),
  every: z
    .string()
    .nullable()
    .describe("Null when it was changed with Temporal's own tools into something that has no such form."),
  timeZone: z.string().nullable().describe('Null for UTC.'),
  jitter: z.string(),
  overlap: overlapSchema,
  catchUp: z.string(),
  paused: z.boolean(),
  note: z.string(),
  input: z.unknown().optional().describe('What each run gets.'),
  options: z.record(z.string(), z.unknown()).describe('Of each run.'),
  declared: z
    .boolean()
    .describe('Made by the code of the application, which brings it in line whenever its workers start.'),
  nextTimes: z.array(taskTime).describe('When it runs next, with jitter: ten times at most, none while it is paused.'),
  running: z.array(z.string()).describe('Ids of the tasks that the next run minds: with `allow_all` none.'),
  recent: z
    .array(z.object({ dueTime: taskTime, startTime: taskTime, taskId: z.string() }))
    .describe('The last runs, newest first: when each was due, when it was started, and its task.'),
  counts: z
    .object({ started: z.int(), skipped: z.int(), missed: z.int() })
    .describe('Runs that were started, left out because of one that ran, and missed by more than `catchUp`.'),
  createTime: taskTime,
  updateTime: taskTime.nullable(),
});
export type Schedule = z.output<typeof scheduleSchema>;

export const scheduleListSchema = z.object({
  schedules: z.array(scheduleSchema),
  cursor: z.string().nullable().describe('Of the next page; null after the last one.'),
});
export type ScheduleList = z.output<typeof scheduleListSchema>;

export const scheduleRunSchema = z.object({
  outcome: z
    .enum(['started', 'skipped', 'held'])
    .describe(
      '`skipped`: because one runs. `held`: it waits for one that runs, or another one of the same second stands for it.',
    ),
  taskId: z.string().nullable().describe('The task that was started.'),
});
export type ScheduleRun = z.output<typeof scheduleRunSchema>;

export const scheduleNextSchema = z.object({ times: z.array(taskTime) });
