import { z } from 'zod';

/**
 * Policy for a run that is due while an earlier run has not ended. The names are those of Temporal's policies:
 * skip it; buffer one, or all, until then; start it in parallel; or cancel, or terminate, the earlier run.
 */
export const OVERLAPS = ['skip', 'buffer_one', 'buffer_all', 'allow_all', 'cancel_other', 'terminate_other'] as const;
export const overlapSchema = z
  .enum(OVERLAPS)
  .describe(
    'Policy for a run that is due while an earlier run has not ended: skip it; buffer one, or all, until then; ' +
      'start it in parallel; cancel, or terminate, the earlier run.',
  );
export type Overlap = z.output<typeof overlapSchema>;

/** What a schedule can start: a job of the user, or one of these tasks. */
export const scheduledTypeSchema = z.enum(['job', 'audit', 'sync']);
export type ScheduledType = z.output<typeof scheduledTypeSchema>;

/** Distinguishes the schedules of one job. */
export const scheduleKeySchema = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9_.:@-]+$/, 'letters, digits and any of . : @ - _')
  .refine((key) => key !== '.' && key !== '..', 'must not be . or .., which cannot be part of a URL')
  .meta({ examples: ['default'] });

/** Key of a schedule that is the only one of its job. */
export const DEFAULT_KEY = 'default';

const taskTime = z.iso.datetime();

/** The public state of a schedule. */
export const scheduleSchema = z
  .object({
    id: z.string().describe('Id of the schedule in Temporal.'),
    name: z.string().describe('Name of the job; of a task, the name that the schedule was given.'),
    key: z.string(),
    type: scheduledTypeSchema.describe('What each run is.'),
    every: z
      .string()
      .nullable()
      .describe("Null when the schedule was changed with Temporal's own tools in a way that has no such form."),
    timeZone: z.string().nullable().describe('Null for UTC.'),
    jitter: z.string(),
    overlap: overlapSchema,
    catchUp: z.string(),
    paused: z.boolean(),
    note: z.string(),
    input: z.unknown().optional().describe('Input of each run.'),
    options: z.record(z.string(), z.unknown()).describe('Options of each run.'),
    declared: z
      .boolean()
      .describe('Declared in application code, which updates the schedule whenever its workers start.'),
    nextTimes: z
      .array(taskTime)
      .describe('Times of the next runs, with jitter: at most ten, none while the schedule is paused.'),
    running: z
      .array(z.string())
      .describe('Ids of the running tasks that the overlap policy considers; empty with `allow_all`.'),
    recent: z
      .array(z.object({ dueTime: taskTime, startTime: taskTime, taskId: z.string() }))
      .describe('The last runs, newest first: when each was due, when it started, and its task.'),
    counts: z
      .object({ started: z.int(), skipped: z.int(), missed: z.int() })
      .describe('Runs that were started, skipped because of an earlier run, and missed by more than `catchUp`.'),
    createTime: taskTime,
    updateTime: taskTime.nullable(),
  })
  .meta({ id: 'Schedule' });
export type Schedule = z.output<typeof scheduleSchema>;

export const scheduleListSchema = z
  .object({
    schedules: z.array(scheduleSchema),
    cursor: z.string().nullable().describe('Cursor of the next page; null after the last page.'),
  })
  .meta({ id: 'ScheduleList' });
export type ScheduleList = z.output<typeof scheduleListSchema>;

export const scheduleRunSchema = z
  .object({
    outcome: z
      .enum(['started', 'skipped', 'held'])
      .describe(
        '`skipped`: an earlier run has not ended. `held`: it waits for one, duplicates a run of the same second, or was not started within 10 s.',
      ),
    taskId: z.string().nullable().describe('The task that was started.'),
  })
  .meta({ id: 'ScheduleRun' });
export type ScheduleRun = z.output<typeof scheduleRunSchema>;

export const scheduleNextSchema = z.object({ times: z.array(taskTime) }).meta({ id: 'ScheduleTimes' });
