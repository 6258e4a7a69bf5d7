import { z } from 'zod';
import { approveSchema } from './approval.ts';
import { budgetSchema } from './budget.ts';
import { durationSchema } from './duration-schema.ts';
import type { FieldIssue } from './errors.ts';
import { evaluationSettings } from './evaluation.ts';
import { fullTextSchema } from './full-text.ts';
import { ASKED_INDEX_BUILDS } from './index-build.ts';
import { indexConfigSchema, metricSchema, nameSchema } from './indexes.ts';
import { LIMITS } from './limits.ts';
import { modelInputSchema } from './model-input.ts';
import { deletionSchema, itemSchema, objectIdSchema } from './objects.ts';
import { readsProblem } from './read-shares.ts';
import { readFields } from './reads.ts';
import { storageSchema, vectorIndexSchema } from './vector-index.ts';
import { refineWatch, watchField } from './watch-schema.ts';

/** What a caller sends to start each type of task. */

export const taskIdSchema = z
  .string()
  .min(1)
  .max(LIMITS.taskIdChars)
  .regex(/^[A-Za-z0-9_.:@/-]+$/, 'letters, digits and any of . : @ / - _')
  .meta({ examples: ['rebuild-1'] });

/** Behavior of a live write while its index is being rebuilt. */
export const onReindexSchema = z
  .enum(['forward', 'wait', 'refuse'])
  .describe('While the index is being rebuilt: also write to the new index, wait until the rebuild ends, or refuse.');
export type OnReindex = z.output<typeof onReindexSchema>;

/** A time with a time zone, of a year that has four digits in UTC too. */
export const momentSchema = z.iso
  .datetime({ offset: true, error: 'a time such as 2026-01-31T12:00:00Z' })
  .refine(hasUsualYear, 'must be of the years 0000 to 9999 in UTC')
  .meta({ examples: ['2026-01-31T12:00:00Z'] });

/** Others are written with a sign and six digits, which Temporal does not read. */
function hasUsualYear(text: string): boolean {
  const ms = Date.parse(text);
  return Number.isNaN(ms) || /^\d{4}-/.test(new Date(ms).toISOString());
}

/** Returns an issue for each id that occurs earlier in the list. */
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

/** Fields of every task that a caller starts. */
export const taskFields = {
  taskId: taskIdSchema
    .optional()
    .describe('Id of the task: the same id with the same input is the same task. Default: a generated id.'),
  maxAttempts: z.int().min(1).max(100).default(3).describe('Attempts before the task is exhausted.'),
};

/** Makes a union say what it takes, rather than the bound of one branch. */
const WHOLE = { abort: true };

const liveWrite = {
  ...taskFields,
  index: nameSchema.describe('Name of an index or an alias.'),
  onReindex: onReindexSchema.default('forward'),
};

export const upsertSchema = z
  .strictObject({
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
        'True: failed items are stored as failed items, and the task is done. False: any failed item fails the task.',
      ),
  })
  .meta({
    id: 'Upsert',
    examples: [{ index: 'docs', items: [{ id: 'a', payload: 'a lion sleeps', metadata: { lang: 'en' } }] }],
  });
export type UpsertBody = z.output<typeof upsertSchema>;

export const deleteSchema = z
  .strictObject({
    ...liveWrite,
    ids: z
      .array(z.union([objectIdSchema, deletionSchema]))
      .min(1)
      .max(LIMITS.itemsPerCall)
      .transform((ids) => ids.map((id) => (typeof id === 'string' ? { id } : id)))
      .superRefine((ids, ctx) => uniqueIds(ids, ctx, 'ids')),
  })
  .meta({ id: 'Delete', examples: [{ index: 'docs', ids: ['a', 'b'] }] });
export type DeleteBody = z.output<typeof deleteSchema>;

export const retireSchema = z
  .union([
    z.enum(['never', 'now']),
    z.strictObject({
      after: durationSchema,
      keepCurrent: z
        .boolean()
        .default(false)
        .describe('Until then, write to the old index too, so that a rollback is one call.'),
    }),
  ])
  .describe('When the old index is deleted after the switch.');

export const reindexSchema = z
  .strictObject({
    ...taskFields,
    source: nameSchema.describe(
      'The index to rebuild, or an alias; an alias is switched at the end, unless `alias` names another one.',
    ),
    dest: nameSchema.describe(
      'The index to build; it must not be the source. If it does not exist yet, at least one setting of it is ' +
        'required: the others are those of the source.',
    ),
    /** Model of `dest`; its settings default to those of the source. */
    destModel: modelInputSchema.optional(),
    destSplitter: indexConfigSchema.shape.splitter.unwrap().optional(),
    destAverage: z.boolean().optional(),
    destMetric: metricSchema.optional(),
    destStorage: storageSchema.optional(),
    destVectorIndex: vectorIndexSchema
      .nullable()
      .optional()
      .describe('Vector index of the destination; null: the usual one. Default: as the source.'),
    destFullText: fullTextSchema
      .nullable()
      .optional()
      .describe('Full text of the destination; null: none. Default: as the source.'),
    alias: nameSchema.optional().describe('The alias to switch from source to dest at the end.'),
    onConflict: z
      .enum(['wait', 'refuse'])
      .default('wait')
      .describe('When another reindex or a deletion conflicts: wait until it ends, or refuse.'),
    waitSeconds: z
      .int()
      .min(1)
      .max(604_800)
      .default(1_200)
      .describe('Maximum seconds to wait before trying again, even if the conflict still seems to exist.'),
    concurrency: z.int().min(1).max(64).default(4).describe('Maximum batches copied at once, over all slices.'),
    batchSize: z.int().min(1).max(2_000).default(256).describe('Objects embedded and written as one batch.'),
    maxFailed: z
      .union(
        [z.literal(-1), z.int().min(0, WHOLE).max(Number.MAX_SAFE_INTEGER), z.number().gt(0, WHOLE).lt(1, WHOLE)],
        {
          error: 'a whole number, a fraction between 0 and 1, or -1 for no limit',
        },
      )
      .default(0.01)
      .describe(
        'How many objects with vectors in the source may fail to be embedded: a number, a fraction of its objects ' +
          'below 1, or -1 for no limit. An index without vectors never replaces an index with vectors.',
      ),
    destExisting: z
      .enum(['refuse', 'replace'])
      .default('refuse')
      .describe(
        'When `dest` holds objects that are newer than in the source or missing there: refuse (`dest-newer`), ' +
          'or replace them with the content of the source.',
      ),
    reuse: z
      .boolean()
      .default(true)
      .describe(
        'Take over stored vectors of the same model, prefix and text instead of embedding again. False if the provider ' +
          'has another model behind the same name by now.',
      ),
    batchApi: z
      .boolean()
      .default(false)
      .describe(
        "Embed through the provider's interface for batches, which answers within a day at half the price: `openai`, at " +
          'endpoints that have it. What is written meanwhile, and what a batch leaves, is embedded in usual calls.',
      ),
    indexBuild: z
      .enum(ASKED_INDEX_BUILDS)
      .default('auto')
      .describe(
        'When the HNSW index of `dest` is built: `after` the copy, in one statement; `during` it, vector by vector; or ' +
          '`split`: in one statement on what is there at some point, then vector by vector. `auto` measures the speed of the ' +
          'first objects and chooses; a plan says what, and why.',
      ),
    approve: approveSchema.default('auto'),
    budget: budgetSchema
      .optional()
      .describe(
        'How much the copy and the forwards may use of the model of `dest`. When it is used up, the reindex pauses; ' +
          'calls in flight are finished. `usd` requires a known price.',
      ),
    retire: retireSchema.default('never'),
    ...readFields,
    watch: watchField,
    ratePerSecond: z
      .number()
      .positive()
      .max(1_000_000)
      .optional()
      .describe('Maximum objects copied per second; default: no limit.'),
    lockSeconds: z
      .int()
      .min(10)
      .max(86_400)
      .default(900)
      .describe('Seconds until the lock expires if it is not renewed.'),
    drainSeconds: z
      .number()
      .min(0.1)
      .max(60)
      .default(5)
      .describe('Maximum seconds that one attempt to switch may block writers.'),
  })
  .refine((reindex) => reindex.source !== reindex.dest, { path: ['dest'], message: 'must not be the source' })
  .superRefine((reindex, ctx) => {
    const problem = readsProblem(reindex, reindex);
    if (problem) ctx.addIssue({ code: 'custom', path: [problem.field], message: problem.message });
    refineWatch(reindex, ctx);
  })
  .meta({
    id: 'Reindex',
    examples: [{ taskId: 'rebuild-1', source: 'docs', dest: 'docs-v2', destModel: { provider: 'words' } }],
  });
export type ReindexBody = z.output<typeof reindexSchema>;
export type ReindexRequest = z.input<typeof reindexSchema>;

export const evaluateSchema = z
  .strictObject({
    ...taskFields,
    left: nameSchema.describe('The index that serves now, or an alias.'),
    right: nameSchema.describe('The index that may replace it, or an alias.'),
    ...evaluationSettings,
  })
  .meta({
    id: 'Evaluate',
    examples: [{ left: 'docs-v1', right: 'docs-v2', querySet: 'support-questions', k: 10 }],
  });
export type EvaluateBody = z.output<typeof evaluateSchema>;
export type EvaluateRequest = z.input<typeof evaluateSchema>;

export const deleteIndexSchema = z
  .strictObject({
    ...taskFields,
    index: nameSchema,
    force: z
      .boolean()
      .default(false)
      .describe('Delete the index even if an alias points to it; the alias is deleted too.'),
    after: durationSchema
      .optional()
      .describe(
        'Wait this long first, for instance `24h`; `cancel` keeps the index, `restart` deletes it immediately.',
      ),
  })
  .meta({ id: 'DeleteIndex', examples: [{ index: 'docs-v1', after: '24h' }] });
export type DeleteIndexBody = z.output<typeof deleteIndexSchema>;
