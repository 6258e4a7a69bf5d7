import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { Embedder, EmbedOptions, EmbedPurpose } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import { type ModelKey, WELL_KNOWN_KEYS } from '../contract/model-keys.ts';
import type { ModelConfig } from '../contract/models.ts';
import type { Vector } from '../contract/vectors.ts';
import { readApiKey } from './api-key.ts';
import { callModel } from './call-model.ts';
import { modelFetch } from './model-fetch.ts';
import { checkModelHost, wordsOf } from './model-hosts.ts';
import { createVectorFetch, type VectorFetch } from './openai-fetch.ts';

export type OpenaiModelConfig = Extract<ModelConfig, { provider: 'openai' }>;

export interface OpenaiDependencies {
  /** The source of the keys, read at each call so that a changed key needs no restart. */
  env: Readonly<Record<string, string | undefined>>;
  fetch?: typeof globalThis.fetch;
  /** Which keys may be sent to which hosts; default: those of well-known providers. */
  keys?: readonly ModelKey[];
}

/**
 * Creates the embedder of an endpoint with OpenAI's `POST {baseUrl}/embeddings`, through the AI SDK. One `embed` is one
 * request; retries are up to the caller, who has durable timers. Throws what `Embedder` says, `InvalidInput` for a
 * `baseUrl` with credentials in it, `ModelRefused` for a key or an address that must not be used.
 */
export function createOpenaiEmbedder(
  config: OpenaiModelConfig,
  { env, fetch, keys = WELL_KNOWN_KEYS }: OpenaiDependencies,
): Embedder {
  const url = new URL(config.baseUrl);
  if (url.username !== '' || url.password !== '') {
    // The address is stored with the index and visible to everyone who may see the index.
    throw new ReembedError('InvalidInput', 'baseUrl must not contain a user name or password; set apiKeyEnv instead');
  }
  checkModelHost(config, keys);
  const words = wordsOf(config.baseUrl, keys);
  const vectorFetch = createVectorFetch(fetch ?? modelFetch, config.dimensions);
  const label = `model "${config.name}" at ${url.host}`;
  return {
    dimensions: config.dimensions,
    maxTexts: config.batchSize,
    maxChars: config.batchChars,
    async embed(texts: readonly string[], { purpose, signal, onUsage }: EmbedOptions): Promise<Vector[]> {
      const key = readApiKey(config, env);
      const prefix = prefixOf(config, purpose);
      return callModel({
        async request(values, abortSignal) {
          const answer = vectorFetch({ label, texts: values });
          try {
            return await request(config, key, answer, values, abortSignal);
          } finally {
            const tokens = answer.tokens();
            if (tokens !== undefined) onUsage?.(tokens);
          }
        },
        label,
        dimensions: config.dimensions,
        texts: prefix === '' ? [...texts] : texts.map((text) => prefix + text),
        timeoutMs: config.timeoutMs,
        signal,
        secrets: key === undefined ? [] : [key],
        words,
      });
    },
  };
}

/**
 * Calls `doEmbed` instead of the SDK's `embedMany`, which logs to the console and retries; see `createOpenaiEmbedder`.
 */
async function request(
  config: OpenaiModelConfig,
  apiKey: string | undefined,
  answer: ReturnType<VectorFetch>,
  values: string[],
  abortSignal: AbortSignal,
): Promise<readonly unknown[]> {
  const provider = createOpenAICompatible({ name: 'openai', baseURL: config.baseUrl, apiKey, fetch: answer.fetch });
  const providerOptions = config.sendDimensions ? { openaiCompatible: { dimensions: config.dimensions } } : undefined;
  const { embeddings } = await provider.embeddingModel(config.name).doEmbed({ values, abortSignal, providerOptions });
  return answer.vectors() ?? embeddings;
}

function prefixOf(config: OpenaiModelConfig, purpose: EmbedPurpose): string {
  return (purpose === 'query' ? config.queryPrefix : config.documentPrefix) ?? '';
}
