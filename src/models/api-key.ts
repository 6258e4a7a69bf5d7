import { ReembedError } from '../contract/errors.ts';

const OPENAI_HOST = 'api.openai.com';
const OPENAI_KEY = 'OPENAI_API_KEY';

interface Endpoint {
  apiKeyEnv?: string;
  baseUrl: string;
}

/** Returns the environment variable of an endpoint's key; OpenAI itself has a default. */
export function keyNameOf({ apiKeyEnv, baseUrl }: Endpoint): string | undefined {
  return apiKeyEnv ?? (new URL(baseUrl).hostname === OPENAI_HOST ? OPENAI_KEY : undefined);
}

/**
 * Reads the key of an endpoint from the variable that `apiKeyEnv` names; default: `OPENAI_API_KEY` for OpenAI itself,
 * none for other endpoints. Throws `ModelUnauthorized`, which names the variable but never contains its value.
 */
export function readApiKey(endpoint: Endpoint, env: Readonly<Record<string, string | undefined>>): string | undefined {
  const name = keyNameOf(endpoint);
  if (name === undefined) return undefined;
  const key = env[name]?.trim() ?? '';
  if (key === '') {
    throw new ReembedError('ModelUnauthorized', `The environment variable ${name}, which holds the key, is not set`);
  }
  // Node's own message for an invalid header value contains the value.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new ReembedError('ModelUnauthorized', `The environment variable ${name} does not hold a usable key`);
  }
  return key;
}
