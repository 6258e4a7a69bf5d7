import { ReembedError } from '../contract/errors.ts';
import { isLoopbackHost, type ModelKey } from '../contract/model-keys.ts';
import { isServiceOfTheHost } from '../net/addresses.ts';

/**
 * How much of a model's response may appear in an error. An unlisted address may be any service of the network, whose
 * responses must not be shown to the person who chose it.
 */
export type ModelWords = 'all' | 'message' | 'none';

interface Called {
  baseUrl: string;
  /** The environment variable of the key. */
  keyName: string | undefined;
}

/**
 * Refuses a model at an address that is never called (`baseUrl`), and one whose key does not belong to its host
 * (`apiKeyEnv`): anyone who may create an index chooses both the address and the name of the variable. Error:
 * `ModelRefused`.
 */
export function checkModelHost(model: Called, keys: readonly ModelKey[]): void {
  const url = new URL(model.baseUrl);
  const name = model.keyName;
  if (isServiceOfTheHost(url.hostname.replace(/^\[(.*)\]$/, '$1'))) {
    throw refused('baseUrl', `${url.hostname} is a link-local or metadata address, which is never called`);
  }
  if (name === undefined || keys.some((key) => key.variable === name && isAt(url, key))) return;
  const host = url.protocol === 'http:' ? url.origin : url.host;
  throw refused(
    'apiKeyEnv',
    `the key ${name} may not be sent to ${url.origin}: bind it to the host with REEMBED_MODEL_KEYS=${name}=${host} on the API and the workers`,
  );
}

/** Returns how much of a host's responses is shown: all for a listed host, only the error message for this machine. */
export function wordsOf(baseUrl: string, keys: readonly ModelKey[]): ModelWords {
  const url = new URL(baseUrl);
  if (keys.some((key) => isAt(url, { ...key, plain: true }))) return 'all';
  return isLoopbackHost(url.hostname) ? 'message' : 'none';
}

/** Creates the error `ModelRefused` for a field of a model. */
export function refused(path: 'baseUrl' | 'apiKeyEnv', message: string): ReembedError {
  return new ReembedError('ModelRefused', message, { issues: [{ path, message }] });
}

function isAt(url: URL, { hostname, port, plain }: ModelKey): boolean {
  if (url.hostname !== hostname || (url.protocol === 'http:' && !plain)) return false;
  return port === null || port === (url.port || (url.protocol === 'http:' ? '80' : '443'));
}
