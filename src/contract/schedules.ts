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
export const overlapSchema = z.enum(OVERLAPS);
export type Overlap = z.output<typeof overlapSchema>;

/** Tells the schedules of one job apart. */
export const scheduleKeySchema = z
  .string()
  .max(100)
  .regex(/^[\w.:@-]+$/, 'letters, digits and any of . : @ - _')
  .refine((key) => key !== '.' && key !== '..', 'must not be . or .., which no URL can name');

/** Of a schedule that is the only one of its job. */
export const DEFAULT_KEY = 'default';

/** Temporal takes a shorter time for this. */
const SHORTEST_CATCH_UP_MS = 10_000;
const LONGEST_MS = 10 * 366 * 86_400_000;

const everySchema = z.union([z.number(), z.string().max(200)]).superRefine((every, ctx) => {
  const read = readEvery(every);
  if (typeof read === 'string') ctx.addIssue({ code: 'custom', message: read });
});

const timeZoneSchema = z
  .string()
  .max(100)
  .superRefine((timeZone, ctx) => {
    const message = timeZoneProblem(timeZone);
    if (message !== undefined) ctx.addIssue({ code: 'custom', message });
  });

function between(leastMs: number, message: string) {
  return (duration: Duration, ctx: z.RefinementCtx) => {
    const ms = durationMs(duration);
    if (ms < leastMs || ms > LONGEST_MS) ctx.addIssue({ code: 'custom', message });
  };
}

/** When a schedule runs, and how. */
export const scheduleTimesSchema = z.strictObject({
  /** An interval (`90s`, `1m`, a number of seconds) or a cron expression (`0 9 * * MON-FRI`, `@daily`). */
  every: everySchema,
  /** In which a cron expression is read: UTC if not given. */
  timeZone: timeZoneSchema.optional(),
  /** Each run comes up to this much later, by chance, so that not everything begins at once. */
  jitter: durationSchema.superRefine(between(0, 'at most 10 years')).default('0s'),
  overlap: overlapSchema.default('skip'),
  /** How late a run may be that was missed while the Temporal server was away. */
  catchUp: durationSchema.superRefine(between(SHORTEST_CATCH_UP_MS, 'from 10 seconds to 10 years')).default('365d'),
  /** Nothing runs until it is resumed. An update without it leaves this as it is. */
  paused: z.boolean().optional(),
  /** For people, for instance why it is paused. */
  note: z.string().max(1_000).optional(),
  /** When there is one of this name and key: change it, refuse with `ScheduleExists`, or leave it as it is. */
  ifExists: z.enum(['update', 'refuse', 'keep']).default('update'),
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
    /** None for jobs that take none. */
    input: z.unknown().optional(),
    options: scheduledOptionsSchema.optional(),
  })
  .superRefine(requireZoneOfCron);
export type ScheduleRequest = z.input<typeof scheduleRequestSchema>;

/** What anyone can ask about a schedule. */
export const scheduleSchema = z.object({
  /** Of Temporal's schedule. */
  id: z.string(),
  /** Of the job. */
  name: z.string(),
  key: z.string(),
  /** Null when it was changed with Temporal's own tools into something that has no such form. */
  every: z.string().nullable(),
  timeZone: z.string().nullable(),
  jitter: z.string(),
  overlap: overlapSchema,
  catchUp: z.string(),
  paused: z.boolean(),
  note: z.string(),
  /** What each run gets. */
  input: z.unknown().optional(),
  options: z.record(z.string(), z.unknown()),
  /** Made by the code of the application, which brings it in line whenever its workers start. */
  declared: z.boolean(),
  /** When it runs next, with jitter: ten times at most, none while it is paused. */
  nextTimes: z.array(z.string()),
  /** Ids of the tasks that the next run minds: with `allow_all` none. */
  running: z.array(z.string()),
  /** The last runs, newest first: when each was due, when it was started, and its task. */
  recent: z.array(z.object({ dueTime: z.string(), startTime: z.string(), taskId: z.string() })),
  /** Runs that were started, left out because of one that ran, and missed by more than `catchUp`. */
  counts: z.object({ started: z.int(), skipped: z.int(), missed: z.int() }),
  createTime: z.string(),
  updateTime: z.string().nullable(),
});
export type Schedule = z.output<typeof scheduleSchema>;

export const scheduleListSchema = z.object({ schedules: z.array(scheduleSchema), cursor: z.string().nullable() });
export type ScheduleList = z.output<typeof scheduleListSchema>;

export const scheduleRunSchema = z.object({
  /** `skipped`: because one runs; `held`: it waits for one that runs, or another one of the same second stands for it. */
  outcome: z.enum(['started', 'skipped', 'held']),
  /** The task that was started. */
  taskId: z.string().nullable(),
});
export type ScheduleRun = z.output<typeof scheduleRunSchema>;

export const scheduleNextSchema = z.object({ times: z.array(z.string()) });
