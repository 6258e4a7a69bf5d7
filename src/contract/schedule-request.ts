import { z } from 'zod';
import { durationMs } from './durations.ts';
import { readEvery, timeZoneProblem } from './every.ts';
import { callOptionsSchema } from './jobs.ts';
import { overlapSchema } from './schedules.ts';
import { type Duration, durationSchema } from './tasks.ts';

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
  .meta({
    examples: ['0 9 * * MON-FRI'],
    anyOf: [
      { type: 'integer', minimum: 1, maximum: LONGEST_MS / 1_000 },
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
