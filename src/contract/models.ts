import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { LOCAL_DIMENSIONS, LOCAL_MODEL_NAMES } from './local-models.ts';

const dimensions = z.int().min(1).max(LIMITS.dimensions);
const modelName = z.string().min(1).max(LIMITS.modelNameChars);
const windowTokens = z
  .int()
  .min(1)
  .max(LIMITS.windowTokens)
  .optional()
  .describe('Tokens that the model reads of one text; default: as known for the model.');

export const hashModelSchema = z.strictObject({
  provider: z.literal('hash').describe('Built in: feature hashing of words and character n-grams; no network.'),
  name: modelName.default('hash-v1').meta({ enum: ['hash-v1'] }),
  dimensions: dimensions.default(256),
});

export const wordsModelSchema = z.strictObject({
  provider: z.literal('words').describe('Built in: averaged vectors of English words; no network.'),
  name: modelName.default('glove-100d-30k').meta({ enum: ['glove-100d-30k'] }),
  dimensions: z.literal(100).default(100),
});

export const localModelSchema = z.strictObject({
  provider: z
    .literal('local')
    .describe('Runs in the process, once it is installed by `reembed models install`; no network.'),
  name: modelName.default('all-minilm-l6-v2').meta({ enum: LOCAL_MODEL_NAMES }),
  dimensions: z.literal(LOCAL_DIMENSIONS).default(LOCAL_DIMENSIONS),
});

export const openaiModelSchema = z.strictObject({
  provider: z.literal('openai').describe('Any OpenAI-compatible endpoint.'),
  name: modelName,
  dimensions,
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .max(LIMITS.modelUrlChars)
    .default('https://api.openai.com/v1')
    .meta({ description: 'The endpoint up to and including `/v1`.', pattern: '^[Hh][Tt][Tt][Pp][Ss]?:' }),
  apiKeyEnv: z
    .string()
    .max(LIMITS.modelNameChars)
    .regex(/^[A-Z_][A-Z0-9_]*$/, 'an environment variable name')
    .optional()
    .describe('Environment variable (of the workers and the API) that holds the key; the key itself is never stored.'),
  sendDimensions: z
    .boolean()
    .default(false)
    .describe('Send `dimensions` with each call, for models that can shorten their vectors.'),
  batchSize: z.int().min(1).max(2048).default(128).describe('Maximum texts in one call.'),
  batchChars: z
    .int()
    .min(1_000)
    .max(4_000_000)
    .default(200_000)
    .describe('Maximum characters of all texts in one call.'),
  queryPrefix: z.string().max(500).optional().describe('Added before each search text, as some models require.'),
  documentPrefix: z.string().max(500).optional().describe('Added before each text that is written.'),
  timeoutMs: z.int().min(1_000).max(600_000).default(60_000).describe('Timeout of one call, in milliseconds.'),
  windowTokens,
});

/** A model registered under this name by the program that runs the workers and the API. */
export const customModelSchema = z.strictObject({
  provider: z
    .literal('custom')
    .describe('Registered under this name by the program that runs the workers and the API.'),
  name: modelName,
  dimensions,
  windowTokens,
});

export const modelSchema = z
  .discriminatedUnion('provider', [
    hashModelSchema,
    wordsModelSchema,
    localModelSchema,
    openaiModelSchema,
    customModelSchema,
  ])
  .meta({
    id: 'Model',
    description: 'Configuration of an embedding model.',
    examples: [{ provider: 'hash', dimensions: 256 }, { provider: 'words' }],
  });

/** Configuration of an embedding model. */
export type ModelConfig = z.output<typeof modelSchema>;
export type ModelInput = z.input<typeof modelSchema>;
