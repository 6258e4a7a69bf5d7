import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { EmbedPurpose } from '../../contract/embedder.ts';
import type { RemoteModelConfig, RemoteProvider } from '../../contract/provider-models.ts';
import { bedrock } from './bedrock.ts';
import { createOllamaModel } from './ollama.ts';
import { type CalledModel, dimensionsOf, isQuery, type ProviderRow, type RemoteCall } from './provider-row.ts';

type ConfigOf<Provider extends RemoteProvider> = Extract<RemoteModelConfig, { provider: Provider }>;

/** Sent in place of a key, and removed before the request leaves. */
const NO_KEY = 'none';

/** Loads OpenAI's API as the AI SDK knows it, for providers that speak it. */
async function loadCompatible(config: RemoteModelConfig, call: RemoteCall): Promise<CalledModel> {
  const provider = createOpenAICompatible({
    name: 'openai',
    baseURL: call.baseUrl,
    apiKey: call.key,
    fetch: call.fetch,
  });
  return {
    model: provider.embeddingModel(call.name),
    ...(config.sendDimensions && { options: { openaiCompatible: { dimensions: config.dimensions } } }),
  };
}

const azure: ProviderRow<ConfigOf<'azure'>> = {
  isOpenaiFormat: true,
  async load(config, { baseUrl, key, name, fetch }) {
    const { createAzure } = await import('@ai-sdk/azure');
    const { apiVersion } = config;
    const useDeploymentBasedUrls = /^\d/.test(apiVersion);
    const provider = createAzure({
      baseURL: baseUrl,
      apiKey: key ?? NO_KEY,
      apiVersion,
      useDeploymentBasedUrls,
      fetch,
    });
    const dimensions = dimensionsOf(config);
    return { model: provider.embeddingModel(name), ...(dimensions && { options: { openai: { dimensions } } }) };
  },
};

/** https://docs.cohere.com/v2/reference/embed */
const cohere: ProviderRow<ConfigOf<'cohere'>> = {
  isOpenaiFormat: false,
  hasPlaceholder: true,
  // The SDK has an option for it, but only for the dimensions of one model.
  fields: (config) => ({ output_dimension: dimensionsOf(config) }),
  async load(_config, { baseUrl, key = NO_KEY, name, purpose, fetch }) {
    const { createCohere } = await import('@ai-sdk/cohere');
    const provider = createCohere({ baseURL: baseUrl, apiKey: key, fetch });
    const inputType = isQuery(purpose) ? 'search_query' : 'search_document';
    return { model: provider.embeddingModel(name), options: { cohere: { inputType, truncate: 'NONE' } } };
  },
};

const googleTask = (sendRole: boolean, purpose: EmbedPurpose): Record<string, string> =>
  sendRole ? { taskType: isQuery(purpose) ? 'RETRIEVAL_QUERY' : 'RETRIEVAL_DOCUMENT' } : {};

/** https://ai.google.dev/api/embeddings */
const google: ProviderRow<ConfigOf<'google'>> = {
  isOpenaiFormat: false,
  hasPlaceholder: true,
  async load(config, { baseUrl, key = NO_KEY, name, purpose, fetch }) {
    const { createGoogleGenerativeAI } = await import('@ai-sdk/google');
    const provider = createGoogleGenerativeAI({ baseURL: baseUrl, apiKey: key, fetch });
    const options = {
      ...googleTask(config.sendRole, purpose),
      ...(config.sendDimensions && { outputDimensionality: config.dimensions }),
    };
    return { model: provider.embeddingModel(name), options: { google: options } };
  },
};

/** https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api */
const vertex: ProviderRow<ConfigOf<'vertex'>> = {
  isOpenaiFormat: false,
  // The SDK sends texts to these models one by one.
  maxTexts: ({ name }) => (/gemini-embedding-2/.test(name) ? 1 : 250),
  async load(config, { baseUrl, key, name, purpose, fetch }) {
    const { createVertex } = await import('@ai-sdk/google-vertex');
    const { project, location } = config;
    // An empty key keeps the SDK from taking that of its own variable.
    const provider = createVertex({
      baseURL: baseUrl,
      apiKey: key ?? '',
      location,
      fetch,
      ...(project && { project }),
    });
    const options = {
      ...googleTask(config.sendRole, purpose),
      autoTruncate: false,
      ...(config.sendDimensions && { outputDimensionality: config.dimensions }),
    };
    return { model: provider.embeddingModel(name), options: { vertex: options } };
  },
};

/** https://docs.mistral.ai/api/endpoint/embeddings */
const mistral: ProviderRow<ConfigOf<'mistral'>> = {
  isOpenaiFormat: true,
  hasPlaceholder: true,
  fields: (config) => ({ output_dimension: dimensionsOf(config) }),
  async load(_config, { baseUrl, key = NO_KEY, name, fetch }) {
    const { createMistral } = await import('@ai-sdk/mistral');
    return { model: createMistral({ baseURL: baseUrl, apiKey: key, fetch }).embeddingModel(name) };
  },
};

/** https://docs.voyageai.com/reference/embeddings-api */
const voyage: ProviderRow<ConfigOf<'voyage'>> = {
  isOpenaiFormat: true,
  dimensionsField: 'output_dimension',
  fields: ({ sendRole }, purpose) => ({ truncation: false, ...(sendRole && { input_type: purpose }) }),
  load: loadCompatible,
};

/** https://api.jina.ai/docs */
const jina: ProviderRow<ConfigOf<'jina'>> = {
  isOpenaiFormat: true,
  fields: ({ sendRole }, purpose) => ({
    truncate: false,
    ...(sendRole && { task: isQuery(purpose) ? 'retrieval.query' : 'retrieval.passage' }),
  }),
  load: loadCompatible,
};

/** https://docs.ollama.com/api/embed */
const ollama: ProviderRow<ConfigOf<'ollama'>> = {
  isOpenaiFormat: false,
  async load(config, call) {
    return { model: createOllamaModel({ ...call, dimensions: dimensionsOf(config) }) };
  },
};

/** How each provider is called. */
export const PROVIDERS: { [Provider in RemoteProvider]: ProviderRow<ConfigOf<Provider>> } = {
  openai: { isOpenaiFormat: true, load: loadCompatible },
  ...{ azure, cohere, voyage, google, vertex, bedrock, mistral, jina, ollama },
};
