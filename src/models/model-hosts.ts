import { ReembedError } from '../contract/errors.ts';
import { isLoopbackHost, type ModelKey } from '../contract/model-keys.ts';
import { isServiceOfTheHost } from '../net/addresses.ts';
import { keyNameOf } from './api-key.ts';

/**
 * How much of what a model answers may stand in an error. An address that nobody listed may be any service of the
 * network, whose answers are not for whoever chose it.
 */
export type ModelWords = 'all' | 'message' | 'none';

interface Called {
  baseUrl: string;
  apiKeyEnv?: string;
}

/**
 * Refuses a model at an address that is never called (`baseUrl`), and one whose key is not for its host (`apiKeyEnv`):
 * whoever may create an index chooses both the address and the name of the variable. Error: `ModelRefused`.
 */
export function checkModelHost(model: Called, keys: readonly ModelKey[]): void {
  const url = new URL(model.baseUrl);
  const name = keyNameOf(model);
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

/** How much of the answers of a host is shown: all of a listed one, of one on this machine the message of an error. */
export function wordsOf(baseUrl: string, keys: readonly ModelKey[]): ModelWords {
  const url = new URL(baseUrl);
  if (keys.some((key) => isAt(url, { ...key, plain: true }))) return 'all';
  return isLoopbackHost(url.hostname) ? 'message' : 'none';
}

/** What `ModelRefused` says of a field of a model. */
export function refused(path: 'baseUrl' | 'apiKeyEnv', message: string): ReembedError {
  return new ReembedError('ModelRefused', message, { issues: [{ path, message }] });
}

function isAt(url: URL, { hostname, port, plain }: ModelKey): boolean {
  if (url.hostname !== hostname || (url.protocol === 'http:' && !plain)) return false;
  return port === null || port === (url.port || (url.protocol === 'http:' ? '80' : '443'));
}
