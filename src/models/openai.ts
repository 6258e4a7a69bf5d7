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
  /** Where keys are read from, at each call, so that a changed key needs no restart. */
  env: Readonly<Record<string, string | undefined>>;
  fetch?: typeof globalThis.fetch;
  /** Which keys may be sent where; those of well-known providers if not given. */
  keys?: readonly ModelKey[];
}

/**
 * Any endpoint that speaks OpenAI's `POST {baseUrl}/embeddings`, through the AI SDK. One `embed` is one request: trying
 * again is the caller's, who has durable timers. Throws what `Embedder` says, `InvalidInput` for a `baseUrl` with
 * credentials in it, `ModelRefused` for a key or an address that may not be used.
 */
export function createOpenaiEmbedder(
  config: OpenaiModelConfig,
  { env, fetch, keys = WELL_KNOWN_KEYS }: OpenaiDependencies,
): Embedder {
  const url = new URL(config.baseUrl);
  if (url.username !== '' || url.password !== '') {
    // The address is stored with the index and shown to everyone who may see it.
    throw new ReembedError('InvalidInput', 'baseUrl must not hold a user name or password; name the key by apiKeyEnv');
  }
  checkModelHost(config, keys);
  const words = wordsOf(config.baseUrl, keys);
  const vectorFetch = createVectorFetch(fetch ?? modelFetch, config.dimensions);
  const label = `model "${config.name}" at ${url.host}`;
  return {
    dimensions: config.dimensions,
    maxTexts: config.batchSize,
    maxChars: config.batchChars,
    async embed(texts: readonly string[], { purpose, signal }: EmbedOptions): Promise<Vector[]> {
      const key = readApiKey(config, env);
      const prefix = prefixOf(config, purpose);
      return callModel({
        request: (values, abortSignal) => {
          const answer = vectorFetch({ label, texts: values });
          return request(config, key, answer, values, abortSignal);
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

/** `doEmbed` and not the SDK's `embedMany`: that one retries, which is the caller's, and logs to the console. */
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
