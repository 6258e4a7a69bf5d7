import { z } from 'zod';
import { databaseNameSchema, unavailableSchema } from './databases.ts';
import { fullTextSchema } from './full-text.ts';
import { LIMITS } from './limits.ts';
import { modelInputSchema } from './model-input.ts';
import { modelSchema } from './models.ts';
import { type Splitter, splitterSchema } from './splitter.ts';
import { resolvedVectorIndexSchema, storageSchema, vectorIndexProblem, vectorIndexSchema } from './vector-index.ts';

export type { Splitter };

/** Index and alias names, which appear in URLs and table names. */
export const nameSchema = z
  .string()
  .max(LIMITS.nameChars)
  .regex(
    /^[a-z0-9][a-z0-9_.-]*$/,
    'lower-case letters, digits, dot, dash and underscore, starting with a letter or digit',
  )
  .meta({ examples: ['docs-v1'] });

export const metricSchema = z
  .enum(['cosine', 'l2', 'ip'])
  .describe('Similarity of two vectors: cosine, Euclidean distance or inner product.');
export type Metric = z.output<typeof metricSchema>;

export const versioningSchema = z
  .enum(['internal', 'external'])
  .describe('`external`: every item has its own version, for instance from its source database.');
export type Versioning = z.output<typeof versioningSchema>;

const readyVectorsField = z
  .boolean()
  .describe('Items may have `parts` with vectors that the model of the index has made elsewhere. Default: false.');

export const indexConfigSchema = z
  .strictObject({
    model: modelInputSchema,
    metric: metricSchema.default('cosine'),
    splitter: splitterSchema.prefault({}),
    average: z.boolean().default(false).describe('Also store the average vector of an object with several parts.'),
    versioning: versioningSchema.default('internal'),
    fullText: fullTextSchema.optional(),
    readyVectors: readyVectorsField.optional(),
    storage: storageSchema.optional(),
    vectorIndex: vectorIndexSchema.optional(),
    database: databaseNameSchema
      .optional()
      .describe('The database that holds the index: `main`, or a name of `REEMBED_DATABASES`. Default: `main`.'),
  })
  .superRefine((config, ctx) => {
    const problem = vectorIndexProblem(config);
    if (problem) ctx.addIssue({ code: 'custom', path: ['vectorIndex', problem.field], message: problem.message });
  })
  .meta({
    id: 'IndexConfig',
    description: 'The settings that are fixed when an index is created.',
    examples: [{ model: { provider: 'hash', dimensions: 256 }, metric: 'cosine' }],
  });
/** The settings that are fixed when an index is created. */
export type IndexConfig = z.output<typeof indexConfigSchema>;
export type IndexConfigInput = z.input<typeof indexConfigSchema>;

export const reindexLockSchema = z
  .object({
    source: z.string(),
    dest: z.string(),
    taskId: z.string().describe('Id of the reindex.'),
    lock: z.string(),
    lockTime: z.iso.datetime(),
    lockExpireTime: z.iso.datetime().describe('When the lock expires, unless it is renewed.'),
    draining: z.boolean().describe('True while writers are blocked for the switch.'),
    mirror: z.boolean().describe('True after the switch, while the retired index is kept current.'),
  })
  .describe('The lock of an index that is being rebuilt, or that is the destination of a rebuild.');
export type ReindexLock = z.output<typeof reindexLockSchema>;

export const indexInfoSchema = z
  .object({
    model: modelSchema,
    metric: metricSchema,
    splitter: splitterSchema,
    average: z.boolean(),
    versioning: versioningSchema,
    fullText: fullTextSchema.optional(),
    readyVectors: readyVectorsField.optional(),
    name: z.string(),
    state: z.enum(['active', 'deleting']),
    description: z.string().describe('How searches are run, with a warning if they are slow.'),
    storage: storageSchema,
    vectorIndex: resolvedVectorIndexSchema,
    vectorIndexReady: z.boolean().describe('False until the HNSW index is built; until then searches scan all parts.'),
    objects: z.int(),
    parts: z.int(),
    failed: z.int().describe('Objects that could not be embedded.'),
    tombstones: z.int().describe('Deleted objects that are still remembered.'),
    bytes: z.int().describe('Size on disk.'),
    estimated: z.boolean().describe('True if counting took too long, and the counts are estimates from Postgres.'),
    aliases: z.array(z.string()),
    lock: reindexLockSchema.nullable(),
    createTime: z.iso.datetime(),
    database: z.string().optional().describe('The database that holds it, if there are several.'),
  })
  .meta({ id: 'Index' });
export type IndexInfo = z.output<typeof indexInfoSchema>;

/** The answer to the creation of an index. */
export const createdIndexSchema = indexInfoSchema
  .extend({
    modelDefaults: z
      .object({
        fields: z.array(z.string()).describe('Fields of the model that were not given and are known of it.'),
        source: z.string().describe('The page that says so.'),
      })
      .nullable()
      .describe('What was filled in for a well-known model; null if nothing was.'),
  })
  .meta({ id: 'CreatedIndex' });
export type CreatedIndex = z.output<typeof createdIndexSchema>;

export const indexListSchema = z
  .object({ indexes: z.array(indexInfoSchema), unavailable: unavailableSchema })
  .meta({ id: 'IndexList' });

export const aliasSchema = z
  .object({
    alias: z.string(),
    index: z.string().describe('The index that the alias points to.'),
  })
  .meta({ id: 'Alias' });
export type Alias = z.output<typeof aliasSchema>;

export const aliasListSchema = z
  .object({ aliases: z.array(aliasSchema), unavailable: unavailableSchema })
  .meta({ id: 'AliasList' });

/** The target of an alias. */
export const aliasTargetSchema = z
  .strictObject({
    index: nameSchema.describe('Name of an index; an alias is not allowed.'),
    force: z
      .boolean()
      .default(false)
      .describe(
        'Move the alias even if the index lacks objects that the alias serves now, has no vectors, or its model fails.',
      ),
  })
  .meta({ id: 'AliasTarget', examples: [{ index: 'docs-v1' }] });
