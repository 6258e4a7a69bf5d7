import { WELL_KNOWN_KEYS } from '../../contract/model-keys.ts';
import type { RemoteModelConfig, RemoteProvider } from '../../contract/provider-models.ts';

/** Where a model is called, and the environment variable of its key, if it has one. */
export interface Endpoint {
  baseUrl: string;
  keyName: string | undefined;
  /** The caller could choose the host. */
  isChosen: boolean;
}

/** Variables of the providers' keys. Those of other hosts must be named by `apiKeyEnv`. */
const KEYS: Partial<Record<RemoteProvider, string>> = {
  openai: 'OPENAI_API_KEY',
  cohere: 'COHERE_API_KEY',
  voyage: 'VOYAGE_API_KEY',
  google: 'GEMINI_API_KEY',
  mistral: 'MISTRAL_API_KEY',
  jina: 'JINA_API_KEY',
};

/** Returns the endpoint of a model. */
export function endpointOf(config: RemoteModelConfig): Endpoint {
  switch (config.provider) {
    case 'vertex':
      return { baseUrl: vertexUrl(config), keyName: config.apiKeyEnv, isChosen: false };
    case 'bedrock':
      return { baseUrl: bedrockUrl(config.region), keyName: undefined, isChosen: false };
    case 'azure':
      return { baseUrl: config.baseUrl, keyName: config.apiKeyEnv ?? 'AZURE_API_KEY', isChosen: true };
    default:
      return { baseUrl: config.baseUrl, keyName: config.apiKeyEnv ?? usualKey(config), isChosen: true };
  }
}

function usualKey({ provider, baseUrl }: { provider: RemoteProvider; baseUrl: string }): string | undefined {
  const variable = KEYS[provider];
  const { hostname } = new URL(baseUrl);
  const isTheirs = WELL_KNOWN_KEYS.some((key) => key.variable === variable && key.hostname === hostname);
  return isTheirs ? variable : undefined;
}

function vertexUrl({ apiKeyEnv, project, location }: Extract<RemoteModelConfig, { provider: 'vertex' }>): string {
  if (apiKeyEnv !== undefined) return 'https://aiplatform.googleapis.com/v1/publishers/google';
  return `https://${vertexHost(location)}/v1beta1/projects/${project}/locations/${location}/publishers/google`;
}

function vertexHost(location: string): string {
  if (location === 'global') return 'aiplatform.googleapis.com';
  if (location === 'eu' || location === 'us') return `aiplatform.${location}.rep.googleapis.com`;
  return `${location}-aiplatform.googleapis.com`;
}

function bedrockUrl(region: string): string {
  return `https://bedrock-runtime.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}
