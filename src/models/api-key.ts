import { ReembedError } from '../contract/errors.ts';

/**
 * Reads a key from the variable with this name; without a name there is none. Throws `ModelUnauthorized`, which names
 * the variable but never contains its value.
 */
export function readApiKey(
  name: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
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
