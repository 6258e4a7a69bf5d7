import { z } from 'zod';
import {
  baseUrlField,
  bodyFields,
  callFields,
  dimensionsField,
  keyFields,
  modelNameField,
  roleFields,
} from './model-fields.ts';

const named = { name: modelNameField, dimensions: dimensionsField };

export const openaiModelSchema = z.strictObject({
  provider: z.literal('openai').describe('Any OpenAI-compatible endpoint.'),
  ...named,
  baseUrl: baseUrlField('The endpoint up to and including `/v1`.').default('https://api.openai.com/v1'),
  ...keyFields,
  ...callFields(),
  ...bodyFields,
});

const azureModelSchema = z.strictObject({
  provider: z.literal('azure').describe('Azure OpenAI; `name` is that of the deployment. Needs `@ai-sdk/azure`.'),
  ...named,
  baseUrl: baseUrlField('The resource, for instance `https://NAME.openai.azure.com/openai`.'),
  apiVersion: z
    .string()
    .regex(/^(?:v1|preview|\d{4}-\d{2}-\d{2}(?:-preview)?)$/, 'v1, preview or a date such as 2024-10-21')
    .default('v1')
    .describe('Version of the API. With a date, the address of the deployment is called.'),
  ...keyFields,
  ...callFields(),
  ...bodyFields,
});

const cohereModelSchema = z.strictObject({
  provider: z.literal('cohere').describe('Cohere. Needs `@ai-sdk/cohere`.'),
  ...named,
  baseUrl: baseUrlField('The endpoint up to and including `/v2`.').default('https://api.cohere.com/v2'),
  ...keyFields,
  ...callFields({ batchSize: 96, maxBatch: 96 }),
  ...bodyFields,
});

const voyageModelSchema = z.strictObject({
  provider: z.literal('voyage').describe('Voyage AI.'),
  ...named,
  baseUrl: baseUrlField('The endpoint up to and including `/v1`.').default('https://api.voyageai.com/v1'),
  ...keyFields,
  ...callFields({ maxBatch: 1_000 }),
  ...roleFields,
  ...bodyFields,
});

const googleModelSchema = z.strictObject({
  provider: z.literal('google').describe('The Gemini API. Needs `@ai-sdk/google`.'),
  ...named,
  baseUrl: baseUrlField('The endpoint up to and including its version.').default(
    'https://generativelanguage.googleapis.com/v1beta',
  ),
  ...keyFields,
  ...callFields({ batchSize: 100, maxBatch: 100 }),
  ...roleFields,
});

const vertexModelSchema = z.strictObject({
  provider: z
    .literal('vertex')
    .describe('Google Vertex AI, with the credentials of the process or a key. Needs `@ai-sdk/google-vertex`.'),
  ...named,
  project: z
    .string()
    .regex(/^[a-z][a-z0-9.:-]{1,99}$/, 'the id of a Google Cloud project')
    .optional()
    .describe('Project in Google Cloud; required without `apiKeyEnv`.'),
  location: z
    .string()
    .regex(/^[a-z][a-z0-9-]{1,39}$/, 'a location such as us-central1')
    .default('global')
    .describe('Location, for instance `europe-west4`.'),
  ...keyFields,
  ...callFields({ batchSize: 1, maxBatch: 250 }),
  ...roleFields,
});

const bedrockModelSchema = z.strictObject({
  provider: z
    .literal('bedrock')
    .describe('Amazon Bedrock, with the access key of the process or a bearer token. Needs `@ai-sdk/amazon-bedrock`.'),
  ...named,
  region: z.string().regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, 'a region such as eu-central-1'),
  ...callFields({ batchSize: 96, maxBatch: 96 }),
});

const mistralModelSchema = z.strictObject({
  provider: z.literal('mistral').describe('Mistral AI. Needs `@ai-sdk/mistral`.'),
  ...named,
  baseUrl: baseUrlField('The endpoint up to and including `/v1`.').default('https://api.mistral.ai/v1'),
  ...keyFields,
  ...callFields({ batchSize: 32, maxBatch: 32, batchChars: 40_000 }),
  ...bodyFields,
});

const jinaModelSchema = z.strictObject({
  provider: z.literal('jina').describe('Jina AI.'),
  ...named,
  baseUrl: baseUrlField('The endpoint up to and including `/v1`.').default('https://api.jina.ai/v1'),
  ...keyFields,
  ...callFields(),
  ...roleFields,
  ...bodyFields,
});

const ollamaModelSchema = z.strictObject({
  provider: z.literal('ollama').describe('Ollama, by its own API, which refuses long texts instead of cutting them.'),
  ...named,
  baseUrl: baseUrlField('The endpoint up to and including `/api`.').default('http://127.0.0.1:11434/api'),
  ...keyFields,
  ...callFields({ batchSize: 32 }),
  ...bodyFields,
});

/** Models that are called over the network. */
export const REMOTE_SCHEMAS = [
  openaiModelSchema,
  azureModelSchema,
  cohereModelSchema,
  voyageModelSchema,
  googleModelSchema,
  vertexModelSchema,
  bedrockModelSchema,
  mistralModelSchema,
  jinaModelSchema,
  ollamaModelSchema,
] as const;

export type RemoteModelConfig = z.output<(typeof REMOTE_SCHEMAS)[number]>;
export type RemoteProvider = RemoteModelConfig['provider'];

/** Providers whose models are called over the network. */
export const REMOTE_PROVIDERS: readonly RemoteProvider[] = REMOTE_SCHEMAS.map(({ shape }) => shape.provider.value);

/** Matches `provider/name` of a model that calls a provider or is registered by a program. */
export const NAMED_MODEL = new RegExp(`^(?:${[...REMOTE_PROVIDERS, 'custom'].join('|')})/.+`);
