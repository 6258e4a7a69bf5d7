import { z } from 'zod';

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
