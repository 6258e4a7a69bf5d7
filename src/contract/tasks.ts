import { z } from 'zod';
import type { FieldIssue } from './errors.ts';
import { indexConfigSchema, nameSchema } from './indexes.ts';
import { LIMITS } from './limits.ts';
import { modelSchema } from './models.ts';
import { deletionSchema, itemSchema, jsonObjectSchema, objectIdSchema } from './objects.ts';
import { TASK_STATUSES } from './status.ts';

export const TASK_TYPES = ['upsert', 'delete', 'reindex', 'reindex-slice', 'delete-index', 'job', 'steer'] as const;
export const taskTypeSchema = z.enum(TASK_TYPES);
export type TaskType = z.output<typeof taskTypeSchema>;

export const taskStatusSchema = z.enum(TASK_STATUSES);

export const taskIdSchema = z
  .string()
  .min(1)
  .max(LIMITS.taskIdChars)
  .regex(/^[A-Za-z0-9_.:@/-]+$/, 'letters, digits and any of . : @ / - _')
  .meta({ examples: ['rebuild-1'] });

/** What a live write does when its index is being rebuilt: also write there (forward), wait for the end, or refuse. */
export const onReindexSchema = z
  .enum(['forward', 'wait', 'refuse'])
  .describe('When the index is being rebuilt: also write to the new one, wait for the end, or refuse.');
export type OnReindex = z.output<typeof onReindexSchema>;

/** A moment, of one time zone or another. */
export const momentSchema = z.iso
  .datetime({ offset: true, error: 'a moment such as 2026-01-31T12:00:00Z' })
  .meta({ examples: ['2026-01-31T12:00:00Z'] });

/** As long as the longest that can be written as text. */
const LONGEST_SECONDS = 86_400 * 99_999;

/** A length of time such as `90s`, `20m`, `24h`, `7d`, or a number of seconds. */
export const durationSchema = z
  .union([
    z.int().min(0).max(LONGEST_SECONDS),
    z
      .string()
      .regex(
        /^([0-9]{1,9}(\.[0-9]{1,9})? *(ms|s|m)|[0-9]{1,5}(\.[0-9]{1,9})? *(h|d))$/,
        'a number with ms, s, m, h or d, for instance 24h; of hours and days at most 99999',
      ),
  ])
  .meta({ description: 'Seconds, or a text such as `90s`, `20m`, `24h`, `7d`.', examples: ['24h'] });
export type Duration = z.output<typeof durationSchema>;

/** An issue for each id that an earlier one of the list has too. */
export function repeatedIds(things: readonly { id: string }[], path: string): FieldIssue[] {
  const first = new Map<string, number>();
  return things.flatMap(({ id }, at) => {
    const before = first.get(id);
    if (before !== undefined) return [{ path: `${path}.${at}.id`, message: `the same id as ${path}.${before}` }];
    first.set(id, at);
    return [];
  });
}

function uniqueIds(things: readonly { id: string }[], ctx: z.RefinementCtx, path: string): void {
  for (const issue of repeatedIds(things, path)) {
    ctx.addIssue({ code: 'custom', path: issue.path.split('.').slice(1), message: issue.message });
  }
}

const common = {
  taskId: taskIdSchema
    .optional()
    .describe('Names the task: the same id with the same input is the same task. Made up if not given.'),
  maxAttempts: z.int().min(1).max(100).default(3).describe('Attempts before the task is exhausted.'),
};

const liveWrite = {
  ...common,
  index: nameSchema.describe('Name of an index or an alias.'),
  onReindex: onReindexSchema.default('forward'),
};

export const upsertSchema = z.strictObject({
  ...liveWrite,
  items: z
    .array(itemSchema)
    .min(1)
    .max(LIMITS.itemsPerCall)
    .superRefine((items, ctx) => uniqueIds(items, ctx, 'items')),
  ignoreFailedItems: z
    .boolean()
    .default(true)
    .describe(
      'True: items that fail are kept as failed items and the task is done. False: any of them fails the task.',
    ),
});
export type UpsertBody = z.output<typeof upsertSchema>;

export const deleteSchema = z.strictObject({
  ...liveWrite,
  ids: z
    .array(z.union([objectIdSchema, deletionSchema]))
    .min(1)
    .max(LIMITS.itemsPerCall)
    .transform((ids) => ids.map((id) => (typeof id === 'string' ? { id } : id)))
    .superRefine((ids, ctx) => uniqueIds(ids, ctx, 'ids')),
});
export type DeleteBody = z.output<typeof deleteSchema>;

export const retireSchema = z
  .union([
    z.enum(['never', 'now']),
    z.strictObject({
      after: durationSchema,
      keepCurrent: z
        .boolean()
        .default(false)
        .describe('Write to it too until then, so that going back is one switch of the alias.'),
    }),
  ])
  .describe('When the old index is deleted after the switch.');
export type Retire = z.output<typeof retireSchema>;

export const reindexSchema = z
  .strictObject({
    ...common,
    source: nameSchema.describe(
      'The index to rebuild, or an alias: then that alias is switched at the end unless `alias` says otherwise.',
    ),
    dest: nameSchema.describe('The index to build: another one. If it does not exist yet, `destModel` is needed.'),
    /** Its other settings are as in the source if not given. */
    destModel: modelSchema.optional(),
    destSplitter: indexConfigSchema.shape.splitter.unwrap().optional(),
    destAverage: z.boolean().optional(),
    alias: nameSchema.optional().describe('The alias to switch from source to dest at the end.'),
    onConflict: z
      .enum(['wait', 'refuse'])
      .default('wait')
      .describe('When another reindex or a deletion is in the way: wait for its end, or refuse.'),
    waitSeconds: z
      .int()
      .min(1)
      .max(604_800)
      .default(1_200)
      .describe('How long to wait at most before trying again, although something still seems to be in the way.'),
    concurrency: z.int().min(1).max(64).default(4).describe('Batches copied at once at most, of all slices together.'),
    batchSize: z.int().min(1).max(2_000).default(256).describe('Objects embedded and written together.'),
    maxFailed: z
      .union([z.literal(-1), z.int().min(0).max(Number.MAX_SAFE_INTEGER), z.number().gt(0).lt(1)], {
        error: 'a whole number, a fraction between 0 and 1, or -1 for no limit',
      })
      .default(0.01)
      .describe(
        'How many objects may fail to be embedded that the source has vectors of: a number, a fraction of its objects ' +
          'below 1, or -1 for any. An index without any vectors never replaces one with vectors.',
      ),
    destExisting: z
      .enum(['refuse', 'replace'])
      .default('refuse')
      .describe(
        'When `dest` holds objects of its own that are newer than in the source or unknown there: refuse (`dest-newer`), ' +
          'or replace them by what the source holds.',
      ),
    retire: retireSchema.default('never'),
    ratePerSecond: z
      .number()
      .positive()
      .max(1_000_000)
      .optional()
      .describe('Most objects copied in a second; no limit if not given.'),
    lockSeconds: z.int().min(10).max(86_400).default(900).describe('How long the lock lasts without being renewed.'),
    drainSeconds: z
      .number()
      .min(0.1)
      .max(60)
      .default(5)
      .describe('How long writers may be held back in one try to switch.'),
  })
  .refine((reindex) => reindex.source !== reindex.dest, { path: ['dest'], message: 'must not be the source' });
export type ReindexBody = z.output<typeof reindexSchema>;
export type ReindexRequest = z.input<typeof reindexSchema>;

export const deleteIndexSchema = z.strictObject({
  ...common,
  index: nameSchema,
  force: z.boolean().default(false).describe('Delete it although an alias points to it; the alias is removed too.'),
  after: durationSchema
    .optional()
    .describe('Wait this long first, for instance `24h`; `cancel` keeps the index, `restart` deletes it at once.'),
});
export type DeleteIndexBody = z.output<typeof deleteIndexSchema>;

export const stageSchema = z.enum(['load', 'split', 'embed', 'write']);
/** Where in the pipeline an item failed. */
export type Stage = z.output<typeof stageSchema>;

export const failedItemSchema = z.object({
  objectId: z.string(),
  stage: stageSchema,
  reason: z.string().describe('A stable code: an error type, `NotEmbedded`, or `stale-beyond-retention`.'),
  detail: z.string(),
});
export type FailedItem = z.output<typeof failedItemSchema>;

export const failedItemsSchema = z
  .object({
    items: z.array(failedItemSchema),
    total: z.int(),
    cursor: z.string().nullable().describe('Of the next page; null after the last one.'),
  })
  .meta({ id: 'FailedItems' });

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
    .describe('Of an error that a job threw: what caused it, the nearest first.'),
});
export type TrackerError = z.output<typeof trackerErrorSchema>;

/** That someone has steered a task, with which call, and who it was if the call told. */
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
  etaSeconds: z.number().nullable().describe('Until the end, at this pace; null when that is not known.'),
});
export type Progress = z.output<typeof progressSchema>;

/** What anyone can ask about a task. */
const trackerFields = z.object({
  id: z.string(),
  type: taskTypeSchema,
  parentId: z.string().nullable().describe('The task that started this one.'),
  status: taskStatusSchema,
  detail: z.string().describe('What is going on, or how it ended, in words.'),
  createTime: z.string(),
  updateTime: z.string(),
  attempts: z.int(),
  maxAttempts: z.int(),
  lock: z.string().nullable().describe('Of the running attempt.'),
  lockTime: z.string().nullable(),
  lockExpireTime: z.string().nullable(),
  version: z.int().nullable().describe('The version that orders the writes of this task.'),
  progress: progressSchema,
  data: jsonObjectSchema.describe('Of the type: counts of an upsert, phase of a reindex.'),
  errors: z.array(trackerErrorSchema),
  steering: z.array(steeringEntrySchema).describe('Who has steered it, newest first.'),
  children: z.partialRecord(taskStatusSchema, z.int()).describe('Children of a reindex, by status.'),
  links: z.object({ workflowId: z.string(), runId: z.string() }).describe('Where Temporal has it.'),
});
export const trackerSchema = trackerFields.meta({ id: 'Tracker', description: 'What anyone can ask about a task.' });
export type Tracker = z.output<typeof trackerSchema>;

export const taskListSchema = z
  .object({
    tasks: z.array(trackerFields.partial().required({ id: true, type: true, status: true })),
    total: z.int(),
    cursor: z.string().nullable().describe('Of the next page; null after the last one.'),
  })
  .meta({ id: 'TaskList' });
export type TaskList = z.output<typeof taskListSchema>;

export const taskCountsSchema = z
  .object({
    total: z.int(),
    byStatus: z.record(taskStatusSchema, z.int()).describe('Of each status, also those of 0.'),
  })
  .meta({ id: 'TaskCounts' });
export type TaskCounts = z.output<typeof taskCountsSchema>;
