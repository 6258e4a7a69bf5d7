import { ReembedError } from '../contract/errors.ts';

const OPENAI_HOST = 'api.openai.com';
const OPENAI_KEY = 'OPENAI_API_KEY';
/**
 * Whoever may create an index chooses both the address and the variable's name. Without this, naming reembed's own
 * secrets beside an address of one's own would be a way to read them.
 */
const OWN_SETTINGS = /^(?:REEMBED_|TEMPORAL_|DATABASE_|PG|AWS_|GITHUB_|NPM_|NODE_)/;

/**
 * The key of an endpoint, from the variable that `apiKeyEnv` names; OpenAI itself has `OPENAI_API_KEY` as default, other
 * endpoints none. Throws `ModelUnauthorized`, which names the variable and never holds its value.
 */
export function readApiKey(
  { apiKeyEnv, baseUrl }: { apiKeyEnv?: string; baseUrl: string },
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const name = apiKeyEnv ?? (new URL(baseUrl).host === OPENAI_HOST ? OPENAI_KEY : undefined);
  if (name === undefined) return undefined;
  if (OWN_SETTINGS.test(name)) {
    throw new ReembedError('ModelUnauthorized', `${name} is not the key of a model and is not sent to one`);
  }
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
