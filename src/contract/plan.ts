import { z } from 'zod';
import { ASKED_INDEX_BUILDS, INDEX_BUILDS } from './index-build.ts';
import { modelSchema } from './models.ts';
import { reindexSchema } from './task-bodies.ts';

/** What a caller sends for the plan of a reindex: the body of its start, and how much may be tried. */
export const planReindexSchema = reindexSchema
  .safeExtend({
    probe: z
      .boolean()
      .default(true)
      .describe('Make a few calls of the model with texts of the source, to measure its speed and tokens.'),
    sampleObjects: z
      .int()
      .min(1)
      .max(10_000)
      .default(1_000)
      .describe('Maximum objects of the source to read and split.'),
  })
  .meta({
    id: 'PlanReindex',
    examples: [{ source: 'docs', dest: 'docs-v2', destModel: { provider: 'words' }, probe: false }],
  });
export type PlanReindexBody = z.output<typeof planReindexSchema>;
export type PlanReindexRequest = z.input<typeof planReindexSchema>;

export const BASES = ['exact', 'sampled', 'estimated'] as const;
export type Basis = (typeof BASES)[number];

export const figureSchema = z
  .object({
    value: z.number().nullable().describe('Null if it is unknown.'),
    basis: z
      .enum(BASES)
      .nullable()
      .describe('Counted exactly, extrapolated from a sample, or estimated; null if the value is unknown.'),
    from: z.string().describe('What it was computed from, or why it is unknown.'),
  })
  .meta({ id: 'Figure' });
export type Figure = z.output<typeof figureSchema>;

const figure = (text: string) => figureSchema.describe(text);

export const obstacleSchema = z.object({
  reason: z.string().describe('A conflict rule, or the type of an error.'),
  effect: z
    .enum(['refused', 'waits', 'fails'])
    .describe('What a reindex that starts now would do: be refused, wait until it is gone, or fail.'),
  field: z.string().nullable().describe('The field of the body, if one is to blame.'),
  detail: z.string(),
});
export type Obstacle = z.output<typeof obstacleSchema>;

const timeSchema = z.object({
  total: figure('Seconds from the start to the switch, without waits for conflicts, live traffic and approvals.'),
  copy: figure('Seconds to embed and write the objects.'),
  build: figure('Seconds of the HNSW build.'),
  rest: figure('Seconds of all other steps: lock, comparison, verification, switch.'),
  boundBy: z
    .enum(['model', 'database', 'ratePerSecond', 'requestsPerMinute', 'tokensPerMinute'])
    .describe('What determines the time of the copy.'),
});

const hnswSchema = z.object({
  kind: z.enum(['hnsw', 'none']),
  precision: z
    .enum(['full', 'half', 'bit'])
    .nullable()
    .describe('Of the vectors in the HNSW index; null if none is built.'),
  dimensions: z.int().describe('How many of the first numbers of each vector are indexed.'),
  m: z.int(),
  efConstruction: z.int(),
  memory: figure('Bytes of the graph during the build.'),
  allowed: z.int().describe('Bytes that the build may use: REEMBED_INDEX_MEMORY_MB.'),
  fits: z.boolean().nullable().describe('False if the build continues on disk, which is several times slower.'),
});

const indexBuildSchema = z
  .object({
    asked: z.enum(ASKED_INDEX_BUILDS).describe('As the body says.'),
    chosen: z
      .enum(INDEX_BUILDS)
      .nullable()
      .describe(
        'What the reindex would do: as asked, or as `auto` chooses by the forecast; null if that is unknown. The reindex ' +
          'measures again, with its first objects.',
      ),
    faster: z.enum(INDEX_BUILDS).nullable().describe('What is fastest; null if it is unknown.'),
    forecast: z
      .object({ after: z.number(), during: z.number(), split: z.number() })
      .nullable()
      .describe('Seconds of copy and build by each way; null if they are unknown.'),
    inserts: figure(
      'Seconds to insert all vectors into an HNSW index that is there first, if nothing else is waited for.',
    ),
    why: z.string(),
  })
  .describe('When the HNSW index is built: after the copy, before it, or at a point of it.');

const diskSchema = z.object({
  source: figure('Bytes of the source now.'),
  dest: figure('Bytes of the complete destination.'),
  together: figure('Bytes while both exist.'),
});

export const reindexPlanSchema = z
  .object({
    source: z.string().describe('Name of the index.'),
    dest: z.string(),
    destExists: z.boolean(),
    alias: z.string().nullable().describe('The alias that the reindex switches.'),
    model: modelSchema,
    objects: figure('Objects of the source.'),
    copied: figure('Objects that the destination lacks or has older.'),
    reused: figure('Of these, objects whose vectors the destination holds: they need no call.'),
    failing: figure('Of these, objects that cannot be embedded because of their text.'),
    parts: figure('Texts to embed.'),
    reusedTexts: figure('Further texts whose stored vectors are taken over: they need no call.'),
    tokens: figure('Tokens of the texts to embed.'),
    calls: figure('Calls of the model.'),
    usd: figure('Price of the tokens in US dollars.'),
    batchUsd: figureSchema
      .nullable()
      .describe('Price with `batchApi`, in US dollars; null if the provider has no interface for batches.'),
    longTexts: figure('Texts that are longer than the window of the model.'),
    longest: z
      .array(z.object({ id: z.string(), tokens: z.int() }))
      .describe('The longest texts of the sample, if they are longer than the window.'),
    window: z.int().nullable().describe('Tokens of one text that the model reads; null if unknown or unlimited.'),
    seconds: timeSchema,
    disk: diskSchema,
    hnsw: hnswSchema,
    indexBuild: indexBuildSchema,
    obstacles: z.array(obstacleSchema).describe('What would prevent the reindex or make it wait.'),
    warnings: z.array(z.string()),
    sample: z.object({
      objects: z.int(),
      bytes: z.int(),
      seconds: z.number(),
      isWhole: z.boolean().describe('True if it has all objects of the source.'),
    }),
    probe: z
      .object({
        calls: z.int(),
        texts: z.int(),
        tokens: z.int().nullable().describe('As counted by the provider; null if it does not say.'),
        seconds: z.number(),
      })
      .nullable()
      .describe('The calls that were made for this plan.'),
  })
  .meta({
    id: 'ReindexPlan',
    description: 'What a reindex would do and cost. Nothing was started or changed.',
  });
export type ReindexPlan = z.output<typeof reindexPlanSchema>;
