import { ReembedError } from '../contract/errors.ts';

const OPENAI_HOST = 'api.openai.com';
const OPENAI_KEY = 'OPENAI_API_KEY';

interface Endpoint {
  apiKeyEnv?: string;
  baseUrl: string;
}

/** The variable of an endpoint's key; OpenAI itself has one without being asked. */
export function keyNameOf({ apiKeyEnv, baseUrl }: Endpoint): string | undefined {
  return apiKeyEnv ?? (new URL(baseUrl).hostname === OPENAI_HOST ? OPENAI_KEY : undefined);
}

/**
 * The key of an endpoint, from the variable that `apiKeyEnv` names; OpenAI itself has `OPENAI_API_KEY` as default, other
 * endpoints none. Throws `ModelUnauthorized`, which names the variable and never holds its value.
 */
export function readApiKey(endpoint: Endpoint, env: Readonly<Record<string, string | undefined>>): string | undefined {
  const name = keyNameOf(endpoint);
  if (name === undefined) return undefined;
  const key = env[name]?.trim() ?? '';
  if (key === '') {
    throw new ReembedError('ModelUnauthorized', `The environment variable ${name}, which holds the key, is not set`);
  }
  // Node's own message for a header value that is not allowed holds the value.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new ReembedError('ModelUnauthorized', `The environment variable ${name} does not hold a usable key`);
  }
  return key;
}
