import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { modelSchema } from './models.ts';

/** Index and alias names: they appear in URLs and in the names of tables. */
export const nameSchema = z
  .string()
  .max(LIMITS.nameChars)
  .regex(/^[a-z0-9][a-z0-9_.-]*$/, 'lower-case letters, digits, dot, dash and underscore, not starting with a mark')
  .meta({ examples: ['docs-v1'] });

export const metricSchema = z
  .enum(['cosine', 'l2', 'ip'])
  .describe('How near two vectors are: cosine, Euclidean distance or inner product.');
export type Metric = z.output<typeof metricSchema>;

export const splitterSchema = z
  .strictObject({
    chunkSize: z.int().min(50).max(100_000).default(2_000).describe('Characters of one part.'),
    chunkOverlap: z
      .int()
      .min(0)
      .max(10_000)
      .default(200)
      .describe('Characters that a part shares with the one before: at most half of `chunkSize`.'),
    fields: z
      .array(z.string().min(1))
      .max(100)
      .optional()
      .describe('Of a JSON payload, the text fields to embed, as dotted paths; all of them if not given.'),
  })
  .describe('How long texts are cut into parts.')
  .refine((splitter) => splitter.chunkOverlap <= splitter.chunkSize / 2, {
    path: ['chunkOverlap'],
    message: 'must be at most half of chunkSize',
  });
export type Splitter = z.output<typeof splitterSchema>;

export const versioningSchema = z
  .enum(['internal', 'external'])
  .describe('`external`: every item brings its own version, for instance from the database it comes from.');
export type Versioning = z.output<typeof versioningSchema>;

export const indexConfigSchema = z.strictObject({
  model: modelSchema,
  metric: metricSchema.default('cosine'),
  splitter: splitterSchema.prefault({}),
  average: z.boolean().default(false).describe("Also store the average of an object's parts, when it has several."),
  versioning: versioningSchema.default('internal'),
});
/** All that is fixed when an index is created. */
export type IndexConfig = z.output<typeof indexConfigSchema>;
export type IndexConfigInput = z.input<typeof indexConfigSchema>;

export const reindexLockSchema = z
  .object({
    source: z.string(),
    dest: z.string(),
    taskId: z.string().describe('The reindex.'),
    lock: z.string(),
    lockTime: z.iso.datetime(),
    lockExpireTime: z.iso.datetime().describe('Until then, unless it is renewed.'),
    draining: z.boolean().describe('Writers are held back for the switch.'),
    mirror: z.boolean().describe('After the switch: the retired index is kept current.'),
  })
  .describe('The index is being rebuilt, or another one is being rebuilt into it.');
export type ReindexLock = z.output<typeof reindexLockSchema>;

export const indexInfoSchema = z.object({
  model: modelSchema,
  metric: metricSchema,
  splitter: splitterSchema,
  average: z.boolean(),
  versioning: versioningSchema,
  name: z.string(),
  state: z.enum(['active', 'deleting']),
  description: z.string().describe('How searches are answered, with a warning where that is slow.'),
  vectorIndex: z.enum(['vector', 'halfvec', 'none']).describe('In which precision HNSW indexes the vectors.'),
  vectorIndexReady: z.boolean().describe('Until then a search scans all parts.'),
  objects: z.int(),
  parts: z.int(),
  failed: z.int().describe('Objects that could not be embedded.'),
  tombstones: z.int().describe('Deleted objects that are still remembered.'),
  bytes: z.int().describe('On disk.'),
  estimated: z.boolean().describe('The counts took too long: these are the estimates of Postgres.'),
  aliases: z.array(z.string()),
  lock: reindexLockSchema.nullable(),
  createTime: z.iso.datetime(),
});
export type IndexInfo = z.output<typeof indexInfoSchema>;

export const aliasSchema = z.object({ alias: z.string(), index: z.string().describe('Where it points to.') });
export type Alias = z.output<typeof aliasSchema>;
