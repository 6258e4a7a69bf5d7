import { z } from 'zod';
import { indexConfigSchema, nameSchema } from './indexes.ts';
import { LIMITS } from './limits.ts';
import { deletionSchema, itemSchema, jsonObjectSchema, objectIdSchema } from './objects.ts';
import { TASK_STATUSES } from './status.ts';

export const TASK_TYPES = ['upsert', 'delete', 'reindex', 'reindex-slice', 'delete-index', 'job'] as const;
export const taskTypeSchema = z.enum(TASK_TYPES);
export type TaskType = z.output<typeof taskTypeSchema>;

export const taskStatusSchema = z.enum(TASK_STATUSES);

export const taskIdSchema = z
  .string()
  .min(1)
  .max(LIMITS.taskIdChars)
  .regex(/^[\w.:@/-]+$/, 'letters, digits and any of . : @ / - _');

/** What a live write does when its index is being rebuilt: also write there (forward), wait for the end, or refuse. */
export const onReindexSchema = z.enum(['forward', 'wait', 'refuse']);
export type OnReindex = z.output<typeof onReindexSchema>;

/** A length of time such as `90s`, `20m`, `24h`, `7d`, or a number of seconds. */
export const durationSchema = z.union([
  z.int().min(0),
  z.string().regex(/^\d+(\.\d+)?\s*(ms|s|m|h|d)$/, 'a number with ms, s, m, h or d, for instance 24h'),
]);
export type Duration = z.output<typeof durationSchema>;

function uniqueIds(things: readonly { id: string }[], ctx: z.RefinementCtx, path: string): void {
  const first = new Map<string, number>();
  things.forEach(({ id }, at) => {
    const before = first.get(id);
    if (before === undefined) first.set(id, at);
    else ctx.addIssue({ code: 'custom', path: [path, at, 'id'], message: `the same id as ${path}.${before}` });
  });
}

const common = {
  /** Names the task: the same id with the same input is the same task. Made up if not given. */
  taskId: taskIdSchema.optional(),
  /** Attempts before the task is exhausted. */
  maxAttempts: z.int().min(1).max(100).default(3),
};

const liveWrite = {
  ...common,
  /** Name of an index or an alias. */
  index: nameSchema,
  onReindex: onReindexSchema.default('forward'),
};

export const upsertSchema = z.strictObject({
  ...liveWrite,
  items: z
    .array(itemSchema)
    .min(1)
    .max(LIMITS.itemsPerCall)
    .superRefine((items, ctx) => uniqueIds(items, ctx, 'items')),
  /** True: items that fail are kept as failed items and the task is done. False: any failed item fails the task. */
  ignoreFailedItems: z.boolean().default(true),
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

export const retireSchema = z.union([
  z.enum(['never', 'now']),
  z.strictObject({ after: durationSchema, keepCurrent: z.boolean().default(false) }),
]);
export type Retire = z.output<typeof retireSchema>;

export const reindexSchema = z
  .strictObject({
    ...common,
    /** The index to rebuild, or an alias: then that alias is switched at the end unless `alias` says otherwise. */
    source: nameSchema,
    dest: nameSchema,
    /** Model of the destination: needed when it does not exist yet. Its other settings are as in the source if not given. */
    destModel: indexConfigSchema.shape.model.optional(),
    destSplitter: indexConfigSchema.shape.splitter.unwrap().optional(),
    destAverage: z.boolean().optional(),
    /** The alias to switch from source to dest at the end. */
    alias: nameSchema.optional(),
    onConflict: z.enum(['wait', 'refuse']).default('wait'),
    /** How long to wait before looking again at what is in the way. */
    waitSeconds: z.int().min(1).max(604_800).default(1_200),
    /** Slices copied at once. */
    concurrency: z.int().min(1).max(64).default(4),
    /** Objects embedded and written together. */
    batchSize: z.int().min(1).max(2_000).default(256),
    /** How many objects may fail to be embedded: a number, a fraction below 1, or -1 for any. */
    maxFailed: z
      .union([z.literal(-1), z.int().min(0), z.number().gt(0).lt(1)], {
        error: 'a whole number, a fraction between 0 and 1, or -1 for no limit',
      })
      .default(-1),
    retire: retireSchema.default('never'),
    /** Most objects copied in a second; no limit if not given. */
    ratePerSecond: z.number().positive().max(1_000_000).optional(),
    /** How long the lock lasts without being renewed. */
    lockSeconds: z.int().min(10).max(86_400).default(900),
    /** How long writers may be held back in one try to cut over. */
    drainSeconds: z.number().min(0.1).max(60).default(5),
  })
  .refine((reindex) => reindex.source !== reindex.dest, { path: ['dest'], message: 'must not be the source' });
export type ReindexBody = z.output<typeof reindexSchema>;
export type ReindexRequest = z.input<typeof reindexSchema>;

export const deleteIndexSchema = z.strictObject({
  ...common,
  index: nameSchema,
  /** Delete it although an alias points to it; the alias is removed too. */
  force: z.boolean().default(false),
  /** Wait this long first; `cancel` keeps the index, `restart` deletes at once. */
  after: durationSchema.optional(),
});
export type DeleteIndexBody = z.output<typeof deleteIndexSchema>;

export const stageSchema = z.enum(['load', 'split', 'embed', 'write']);
/** Where in the pipeline an item failed. */
export type Stage = z.output<typeof stageSchema>;

export const failedItemSchema = z.object({
  objectId: z.string(),
  stage: stageSchema,
  /** A stable code: an error type, or `stale-beyond-retention`. */
  reason: z.string(),
  detail: z.string(),
});
export type FailedItem = z.output<typeof failedItemSchema>;

export const failedItemsSchema = z.object({
  items: z.array(failedItemSchema),
  total: z.int(),
  cursor: z.string().nullable(),
});

export const trackerErrorSchema = z.object({
  attempt: z.int(),
  time: z.string(),
  type: z.string(),
  message: z.string(),
  stage: z.string().optional(),
  stack: z.string().optional(),
});
export type TrackerError = z.output<typeof trackerErrorSchema>;

export const progressSchema = z.object({
  done: z.int(),
  total: z.int(),
  failed: z.int(),
  perSecond: z.number(),
  etaSeconds: z.number().nullable(),
});
export type Progress = z.output<typeof progressSchema>;

/** What anyone can ask about a task. */
export const trackerSchema = z.object({
  id: z.string(),
  type: taskTypeSchema,
  parentId: z.string().nullable(),
  status: taskStatusSchema,
  /** What is going on, or how it ended, in words. */
  detail: z.string(),
  createTime: z.string(),
  updateTime: z.string(),
  attempts: z.int(),
  maxAttempts: z.int(),
  /** Of the running attempt. */
  lock: z.string().nullable(),
  lockTime: z.string().nullable(),
  lockExpireTime: z.string().nullable(),
  /** The version that orders the writes of this task. */
  version: z.int().nullable(),
  progress: progressSchema,
  /** Of the type: counts of an upsert, phase of a reindex. */
  data: jsonObjectSchema,
  errors: z.array(trackerErrorSchema),
  /** Children of a reindex, by status. */
  children: z.partialRecord(taskStatusSchema, z.int()),
  links: z.object({ workflowId: z.string(), runId: z.string() }),
});
export type Tracker = z.output<typeof trackerSchema>;

export const taskListSchema = z.object({
  tasks: z.array(trackerSchema.partial().required({ id: true, type: true, status: true })),
  total: z.int(),
  cursor: z.string().nullable(),
});
