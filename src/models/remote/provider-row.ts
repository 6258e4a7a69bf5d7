import type { JSONValue } from 'ai';
import type { EmbedPurpose } from '../../contract/embedder.ts';
import type { SdkEmbeddingModel } from '../custom.ts';

type Fetch = typeof globalThis.fetch;
type ProviderOptions = Record<string, Record<string, JSONValue>>;

/** One call of a provider. */
export interface RemoteCall {
  /** The model for this purpose. */
  name: string;
  purpose: EmbedPurpose;
  baseUrl: string;
  key: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  fetch: Fetch;
}

export interface CalledModel {
  model: SdkEmbeddingModel;
  options?: ProviderOptions;
}

/** How a provider is called. */
export interface ProviderRow<Config> {
  /** Answers in OpenAI's format, so that its vectors are read by `createVectorFetch`. */
  isOpenaiFormat: boolean;
  /** The SDK asks for a key even if the endpoint has none. */
  hasPlaceholder?: boolean;
  /** The provider's name for OpenAI's `dimensions`. */
  dimensionsField?: string;
  /** Fields of the body that the SDK does not know. */
  fields?(config: Config, purpose: EmbedPurpose): Record<string, unknown>;
  /** Limit of the SDK for one call. */
  maxTexts?(config: Config): number;
  /** Dimensions that the SDK accepts if they are sent. */
  allowedDimensions?(config: Config): readonly number[];
  /** Loads the SDK's package at the first call. */
  load(config: Config, call: RemoteCall): Promise<CalledModel>;
}

/** Returns the dimensions that are sent with a call, if any. */
export function dimensionsOf(config: { sendDimensions: boolean; dimensions: number }): number | undefined {
  return config.sendDimensions ? config.dimensions : undefined;
}

export const isQuery = (purpose: EmbedPurpose) => purpose === 'query';
