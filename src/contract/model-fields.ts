import { z } from 'zod';
import { extraBodySchema } from './extra-body.ts';
import { LIMITS } from './limits.ts';

export const dimensionsField = z.int().min(1).max(LIMITS.dimensions);
export const modelNameField = z.string().min(1).max(LIMITS.modelNameChars);
export const windowTokensField = z
  .int()
  .min(1)
  .max(LIMITS.windowTokens)
  .optional()
  .describe('Tokens that the model reads of one text; default: as known for the model.');

/** Field of the address of an endpoint; without a default it is required. */
export function baseUrlField(description: string) {
  return z
    .url({ protocol: /^https?$/ })
    .max(LIMITS.modelUrlChars)
    .meta({ description, pattern: '^[Hh][Tt][Tt][Pp][Ss]?:' });
}

/** Fields of the key of a model. */
export const keyFields = {
  apiKeyEnv: z
    .string()
    .max(LIMITS.modelNameChars)
    .regex(/^[A-Z_][A-Z0-9_]*$/, 'an environment variable name')
    .optional()
    .describe('Environment variable (of the workers and the API) that holds the key; the key itself is never stored.'),
};

/** Fields of all models that are called over the network. `maxBatch` is the provider's limit, if it has a fixed one. */
export function callFields({ batchSize = 128, maxBatch = 2048, batchChars = 200_000 } = {}) {
  return {
    sendDimensions: z
      .boolean()
      .default(false)
      .describe('Send `dimensions` with each call, for models that can shorten their vectors.'),
    batchSize: z.int().min(1).max(maxBatch).default(batchSize).describe('Maximum texts in one call.'),
    batchChars: z
      .int()
      .min(1_000)
      .max(4_000_000)
      .default(batchChars)
      .describe('Maximum characters of all texts in one call.'),
    queryPrefix: z.string().max(500).optional().describe('Added before each search text, as some models require.'),
    documentPrefix: z.string().max(500).optional().describe('Added before each text that is written.'),
    queryModel: modelNameField
      .optional()
      .describe('Model for search texts, if another one of the family has vectors in the same space.'),
    normalize: z
      .boolean()
      .optional()
      .describe('Scale vectors to length 1, for models that do not; needed for the metric `ip`.'),
    timeoutMs: z.int().min(1_000).max(600_000).default(60_000).describe('Timeout of one call, in milliseconds.'),
    windowTokens: windowTokensField,
  };
}

/** Field for requests that are one flat JSON object. */
export const bodyFields = { extraBody: extraBodySchema.optional() };

/** Field for providers whose requests say whether texts are queries or documents. */
export const roleFields = {
  sendRole: z
    .boolean()
    .default(true)
    .describe('Tell the provider whether a text is a query or a document, by its own parameter.'),
};
