import { z } from 'zod';
import { jsonObjectSchema } from './objects.ts';
import { TASK_STATUSES } from './status.ts';
import { PACE_REASONS, type PaceReason } from './task-pace.ts';
import { taskTypeSchema } from './task-types.ts';

export const taskStatusSchema = z.enum(TASK_STATUSES);

export const stageSchema = z.enum(['load', 'split', 'embed', 'write', 'audit']);
/** The pipeline stage in which an item failed; `audit` for what an audit found. */
export type Stage = z.output<typeof stageSchema>;

export const failedItemSchema = z.object({
  objectId: z.string(),
  stage: stageSchema,
  reason: z
    .string()
    .describe('A stable code: an error type, `NotEmbedded`, `stale-beyond-retention`, or what an audit found.'),
  detail: z.string(),
});
export type FailedItem = z.output<typeof failedItemSchema>;

export const failedItemsSchema = z
  .object({
    items: z.array(failedItemSchema),
    total: z.int(),
    cursor: z.string().nullable().describe('Cursor of the next page; null after the last page.'),
  })
  .meta({ id: 'FailedItems' });

export const taskInputSchema = z
  .object({
    taskId: z.string(),
    input: z
      .unknown()
      .describe(
        'The body of the call that started its last run; of a job: `name`, `input` and the options. The items of most ' +
          'writes are stored apart and are missing.',
      ),
  })
  .meta({ id: 'TaskInput', description: 'What a task was started with.' });
export type TaskInput = z.output<typeof taskInputSchema>;

export const trackerErrorSchema = z.object({
  attempt: z.int(),
  time: z.string(),
  type: z.string(),
  message: z.string(),
  stage: z.string().optional(),
  stack: z.string().optional(),
  causes: z
    .array(z.object({ type: z.string(), message: z.string() }))
    .optional()
    .describe('Causes of an error that a job threw, nearest first.'),
});
export type TrackerError = z.output<typeof trackerErrorSchema>;

/** A steering call that a task received, with the caller if it is known. */
export const steeringEntrySchema = z.object({
  time: z.string(),
  call: z.string(),
  /** The name of the API token; null for calls without one, for instance a signal sent with Temporal's own tools. */
  by: z.string().nullable(),
  reason: z.string().optional(),
});
export type SteeringEntry = z.output<typeof steeringEntrySchema>;

export const progressSchema = z.object({
  done: z.int(),
  total: z.int(),
  failed: z.int(),
  perSecond: z.number(),
  etaSeconds: z.number().nullable().describe('Estimated seconds until the end at this rate; null when unknown.'),
});
export type Progress = z.output<typeof progressSchema>;

export const taskPaceSchema = z
  .object({
    reason: z
      .enum(Object.keys(PACE_REASONS) as [PaceReason, ...PaceReason[]])
      .describe(
        '`live-work`: searches and writes go first. `rate-limit`: the rate that was set for it. `model-limit`: the limit of ' +
          'the model, or its provider asks to slow down. `model`: the model does not answer. `worker`: none runs, or all are ' +
          'busy. `batches`: a batch of the provider.',
      ),
    text: z.string().describe('The reason in words.'),
    share: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .describe('Share of the last minute that went into this wait; null if the task stands still.'),
    until: z.string().nullable().describe('When it continues by itself; null if that is unknown.'),
  })
  .meta({ id: 'TaskPace', description: 'Why a task is slow or stands still.' });

/** The public state of a task. */
const trackerFields = z.object({
  id: z.string(),
  type: taskTypeSchema,
  parentId: z.string().nullable().describe('The task that started this one.'),
  status: taskStatusSchema,
  detail: z.string().describe('The current activity or the result, in words.'),
  createTime: z.string(),
  updateTime: z.string(),
  attempts: z.int(),
  maxAttempts: z.int(),
  lock: z.string().nullable().describe('Lock of the running attempt.'),
  lockTime: z.string().nullable(),
  lockExpireTime: z.string().nullable(),
  version: z.int().nullable().describe('The version that orders the writes of this task.'),
  progress: progressSchema,
  pace: taskPaceSchema
    .optional()
    .describe(
      'The main reason why it is slow or stands still; missing if nothing slows it, and for types that do not tell.',
    ),
  data: jsonObjectSchema.describe(
    'Specific to the task type, such as the counts of an upsert or the phase of a reindex.',
  ),
  errors: z.array(trackerErrorSchema),
  steering: z.array(steeringEntrySchema).describe('Steering calls, newest first.'),
  children: z.partialRecord(taskStatusSchema, z.int()).describe('Children of a reindex, by status.'),
  ended: z
    .boolean()
    .optional()
    .describe('In lists: whether it has ended, so that it runs again only by a restart. A failed task may not have.'),
  unanswered: z
    .boolean()
    .optional()
    .describe('True if no worker answers: this is what the task last published. Otherwise missing.'),
  endTime: z.string().optional().describe('In lists: when it ended.'),
  indexes: z
    .array(z.string())
    .optional()
    .describe('In lists: the indexes and aliases that it was started with; of a sync, the name of its source.'),
  job: z.string().optional().describe('In lists: the name of a job.'),
  links: z.object({ workflowId: z.string(), runId: z.string() }).describe("The task's workflow in Temporal."),
});
export const trackerSchema = trackerFields.meta({ id: 'Tracker', description: 'The public state of a task.' });
export type Tracker = z.output<typeof trackerSchema>;

export const taskListSchema = z
  .object({
    tasks: z.array(trackerFields.partial().required({ id: true, type: true, status: true })),
    total: z.int(),
    cursor: z.string().nullable().describe('Cursor of the next page; null after the last page.'),
  })
  .meta({ id: 'TaskList' });
export type TaskList = z.output<typeof taskListSchema>;

export const taskCountsSchema = z
  .object({
    total: z.int(),
    byStatus: z.record(taskStatusSchema, z.int()).describe('The count for each status, including 0.'),
  })
  .meta({ id: 'TaskCounts' });
export type TaskCounts = z.output<typeof taskCountsSchema>;
