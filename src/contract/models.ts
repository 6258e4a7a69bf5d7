import { z } from 'zod';
import { LOCAL_DIMENSIONS, LOCAL_MODEL_NAMES } from './local-models.ts';
import { dimensionsField, modelNameField, windowTokensField } from './model-fields.ts';
import { REMOTE_SCHEMAS } from './provider-models.ts';

export const hashModelSchema = z.strictObject({
  provider: z.literal('hash').describe('Built in: feature hashing of words and character n-grams; no network.'),
  name: modelNameField.default('hash-v1').meta({ enum: ['hash-v1'] }),
  dimensions: dimensionsField.default(256),
});

export const wordsModelSchema = z.strictObject({
  provider: z.literal('words').describe('Built in: averaged vectors of English words; no network.'),
  name: modelNameField.default('glove-100d-30k').meta({ enum: ['glove-100d-30k'] }),
  dimensions: z.literal(100).default(100),
});

export const localModelSchema = z.strictObject({
  provider: z
    .literal('local')
    .describe('Runs in the process, once it is installed by `reembed models install`; no network.'),
  name: modelNameField.default('all-minilm-l6-v2').meta({ enum: LOCAL_MODEL_NAMES }),
  dimensions: z.literal(LOCAL_DIMENSIONS).default(LOCAL_DIMENSIONS),
});

/** A model registered under this name by the program that runs the workers and the API. */
export const customModelSchema = z.strictObject({
  provider: z
    .literal('custom')
    .describe('Registered under this name by the program that runs the workers and the API.'),
  name: modelNameField,
  dimensions: dimensionsField,
  windowTokens: windowTokensField,
});

/** The complete configuration of a model, as it is stored. */
export const modelSchema = z
  .discriminatedUnion('provider', [
    hashModelSchema,
    wordsModelSchema,
    localModelSchema,
    ...REMOTE_SCHEMAS,
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
