import type { Embedder, EmbedOptions, EmbedPurpose } from '../../contract/embedder.ts';
import { ReembedError } from '../../contract/errors.ts';
import { type ModelKey, WELL_KNOWN_KEYS } from '../../contract/model-keys.ts';
import type { RemoteModelConfig } from '../../contract/provider-models.ts';
import type { Vector } from '../../contract/vectors.ts';
import { readApiKey } from '../api-key.ts';
import { callModel } from '../call-model.ts';
import { requireWhole } from '../cut-texts.ts';
import { modelFetch } from '../model-fetch.ts';
import { checkModelHost, wordsOf } from '../model-hosts.ts';
import { createVectorFetch } from '../openai-fetch.ts';
import { windowOf } from '../windows.ts';
import { AWS_SECRETS } from './bedrock.ts';
import { endpointOf } from './endpoint.ts';
import { withFields } from './fields.ts';
import { requirePackage } from './packages.ts';
import type { ProviderRow } from './provider-row.ts';
import { PROVIDERS } from './providers.ts';
import { toUnitLength } from './unit-length.ts';
import { withWholeAnswer } from './whole-answer.ts';

type Fetch = typeof globalThis.fetch;

export interface RemoteDependencies {
  /** The source of the keys, read at each call so that a changed key needs no restart. */
  env: Readonly<Record<string, string | undefined>>;
  fetch?: Fetch;
  /** Which keys may be sent to which hosts; default: those of well-known providers. */
  keys?: readonly ModelKey[];
  /** Whether the package of a provider is installed; default: whether this process can load it. */
  hasPackage?: (name: string) => boolean;
}

/** The answer to one request. */
interface Answer {
  vectors: readonly unknown[];
}

interface Request {
  values: string[];
  purpose: EmbedPurpose;
  key: string | undefined;
  signal: AbortSignal;
  onTokens(tokens: unknown): void;
}

/**
 * Creates the embedder of a provider's endpoint, through the AI SDK. One `embed` is one request; retries are up to the
 * caller, who has durable timers. Throws what `Embedder` says, `InvalidInput` for a `baseUrl` with credentials in it,
 * `ModelRefused` for a key or an address that must not be used, `ModelNotFound` if the provider's package is missing,
 * `ModelWrongDimension` for dimensions that the provider does not have.
 */
export function createRemoteEmbedder(config: RemoteModelConfig, deps: RemoteDependencies): Embedder {
  const { env, keys = WELL_KNOWN_KEYS } = deps;
  const endpoint = endpointOf(config);
  const url = new URL(endpoint.baseUrl);
  if (url.username !== '' || url.password !== '') {
    // The address is stored with the index and visible to everyone who may see the index.
    throw new ReembedError('InvalidInput', 'baseUrl must not contain a user name or password; set apiKeyEnv instead');
  }
  requirePackage(config.provider, deps.hasPackage);
  checkModelHost(endpoint, keys);
  const words = endpoint.isChosen ? wordsOf(endpoint.baseUrl, keys) : 'all';
  const label = `model "${config.name}" at ${url.host}`;
  const row = PROVIDERS[config.provider] as ProviderRow<RemoteModelConfig>;
  checkDimensions(config, row);
  const send = createSender(config, row, { label, baseUrl: endpoint.baseUrl, env, fetch: deps.fetch ?? modelFetch });
  return {
    dimensions: config.dimensions,
    maxTexts: Math.min(config.batchSize, row.maxTexts?.(config) ?? config.batchSize),
    maxChars: config.batchChars,
    async embed(
      texts: readonly string[],
      { purpose, signal, onUsage, areCounted = false }: EmbedOptions,
    ): Promise<Vector[]> {
      const key = readApiKey(endpoint.keyName, env);
      const prefix = prefixOf(config, purpose);
      const vectors = await callModel({
        async request(values, abortSignal) {
          let counted: number | undefined;
          const onTokens = (tokens: unknown) => {
            if (!Number.isSafeInteger(tokens) || Number(tokens) <= 0) return;
            counted = Number(tokens);
            onUsage?.(counted);
          };
          const answer = await send({ values, purpose, key, signal: abortSignal, onTokens });
          const areWhole = purpose === 'query';
          await requireWhole({ texts: values, tokens: counted, window: windowOf(config), areCounted, areWhole }, label);
          return answer.vectors;
        },
        label,
        dimensions: config.dimensions,
        texts: prefix === '' ? [...texts] : texts.map((text) => prefix + text),
        timeoutMs: config.timeoutMs,
        signal,
        secrets: secretsOf(config, key, env),
        words,
      });
      return config.normalize ? vectors.map(toUnitLength) : vectors;
    },
  };
}

function checkDimensions(config: RemoteModelConfig, row: ProviderRow<RemoteModelConfig>): void {
  const allowed = config.sendDimensions ? row.allowedDimensions?.(config) : undefined;
  if (allowed === undefined || allowed.includes(config.dimensions)) return;
  const message = `The model "${config.name}" can be shortened to ${allowed.join(', ')} dimensions, not ${config.dimensions}`;
  throw new ReembedError('ModelWrongDimension', message);
}

interface Sender {
  label: string;
  baseUrl: string;
  env: RemoteDependencies['env'];
  fetch: Fetch;
}

/**
 * Calls `doEmbed` instead of the SDK's `embedMany`, which logs to the console and retries. Tokens are reported
 * before the vectors are read: they were charged for, whatever the vectors are.
 */
function createSender(
  config: RemoteModelConfig,
  row: ProviderRow<RemoteModelConfig>,
  { label, baseUrl, env, fetch }: Sender,
): (request: Request) => Promise<Answer> {
  const changedFetch = (purpose: EmbedPurpose, key: string | undefined) =>
    withFields(fetch, {
      fields: { ...('extraBody' in config ? config.extraBody : {}), ...row.fields?.(config, purpose) },
      dimensionsField: row.dimensionsField,
      isKeyless: row.hasPlaceholder === true && key === undefined,
    });
  const call = (of: Request, fetch: Fetch) => ({
    name: of.purpose === 'query' ? (config.queryModel ?? config.name) : config.name,
    ...{ purpose: of.purpose, key: of.key, baseUrl, env, fetch },
  });
  const doEmbed = async (request: Request, fetch: Fetch) => {
    const { model, options } = await row.load(config, call(request, fetch));
    const { values, signal: abortSignal } = request;
    return model.doEmbed({ values, abortSignal, ...(options && { providerOptions: options }) });
  };
  if (!row.isOpenaiFormat) {
    return async (request) => {
      const to = { label, texts: request.values };
      const whole = withWholeAnswer(changedFetch(request.purpose, request.key), to, config.dimensions);
      const { embeddings, usage } = await doEmbed(request, whole);
      request.onTokens(usage?.tokens);
      return { vectors: embeddings };
    };
  }
  const openai = createVectorFetch(config.dimensions);
  return async (request) => {
    const to = { label, texts: request.values };
    const answer = openai(changedFetch(request.purpose, request.key), to);
    try {
      const { embeddings } = await doEmbed(request, answer.fetch);
      return { vectors: answer.vectors() ?? embeddings };
    } finally {
      request.onTokens(answer.tokens());
    }
  };
}

function secretsOf({ provider }: RemoteModelConfig, key: string | undefined, env: RemoteDependencies['env']): string[] {
  const aws = provider === 'bedrock' ? AWS_SECRETS.map((name) => env[name]?.trim() ?? '') : [];
  return [...aws, key ?? ''].filter((secret) => secret !== '');
}

function prefixOf(config: RemoteModelConfig, purpose: EmbedPurpose): string {
  return (purpose === 'query' ? config.queryPrefix : config.documentPrefix) ?? '';
}
