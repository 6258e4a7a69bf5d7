import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { modelSchema } from './models.ts';

/** Index and alias names: they appear in URLs and in the names of tables. */
export const nameSchema = z
  .string()
  .max(LIMITS.nameChars)
  .regex(/^[a-z0-9][a-z0-9_.-]*$/, 'lower-case letters, digits, dot, dash and underscore, not starting with a mark');

export const metricSchema = z.enum(['cosine', 'l2', 'ip']);
export type Metric = z.output<typeof metricSchema>;

export const splitterSchema = z
  .strictObject({
    /** Characters of one part. */
    chunkSize: z.int().min(50).max(100_000).default(2_000),
    /** Characters that a part shares with the one before. */
    chunkOverlap: z.int().min(0).max(10_000).default(200),
    /** Of a JSON payload, the text fields to embed, as dotted paths; all of them if not given. */
    fields: z.array(z.string().min(1)).max(100).optional(),
  })
  .refine((splitter) => splitter.chunkOverlap < splitter.chunkSize, {
    path: ['chunkOverlap'],
    message: 'must be less than chunkSize',
  });
export type Splitter = z.output<typeof splitterSchema>;

export const versioningSchema = z.enum(['internal', 'external']);
export type Versioning = z.output<typeof versioningSchema>;

export const indexConfigSchema = z.strictObject({
  model: modelSchema,
  metric: metricSchema.default('cosine'),
  splitter: splitterSchema.prefault({}),
  /** Also store the average of an object's parts, when it has several. */
  average: z.boolean().default(false),
  /** `external`: every item brings its own version, for instance from the database it comes from. */
  versioning: versioningSchema.default('internal'),
});
/** All that is fixed when an index is created. */
export type IndexConfig = z.output<typeof indexConfigSchema>;
export type IndexConfigInput = z.input<typeof indexConfigSchema>;

export const reindexLockSchema = z.object({
  source: z.string(),
  dest: z.string(),
  taskId: z.string(),
  lock: z.string(),
  lockTime: z.string(),
  lockExpireTime: z.string(),
  draining: z.boolean(),
  mirror: z.boolean(),
});
export type ReindexLock = z.output<typeof reindexLockSchema>;

export const indexInfoSchema = indexConfigSchema.extend({
  name: z.string(),
  state: z.enum(['active', 'deleting']),
  /** How searches are answered, with a warning where that is slow. */
  description: z.string(),
  vectorIndex: z.enum(['vector', 'halfvec', 'none']),
  vectorIndexReady: z.boolean(),
  objects: z.int(),
  parts: z.int(),
  failed: z.int(),
  tombstones: z.int(),
  bytes: z.int(),
  aliases: z.array(z.string()),
  lock: reindexLockSchema.nullable(),
  createTime: z.string(),
});
export type IndexInfo = z.output<typeof indexInfoSchema>;

export const aliasSchema = z.object({ alias: z.string(), index: z.string() });
export type Alias = z.output<typeof aliasSchema>;
