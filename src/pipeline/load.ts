import { ReembedError } from '../contract/errors.ts';
import { LIMITS } from '../contract/limits.ts';
import type { Payload } from '../contract/objects.ts';
import { isPublicAddress, isServiceOfTheHost, type Resolve } from '../net/addresses.ts';
import { resolveForLoads } from '../net/resolve.ts';
import { withDeadline } from './deadline.ts';
import { loadFile } from './load-file.ts';
import { createHttpLoader } from './load-http.ts';
import { assertStorable } from './storable.ts';
import { shownUri } from './uri.ts';

export interface LoaderOptions {
  /** Folders from which `file:` URIs may be loaded; none: no files at all. */
  fileRoots: readonly string[];
  /** Also load from addresses that are not in the public internet. */
  allowPrivateAddresses: boolean;
  /** Most bytes of one payload, after decompression. */
  maxBytes?: number;
  /** Time for one load as a whole, redirects and body included. */
  timeoutMs: number;
  /** How host names become addresses; the system's way if not given. */
  resolve?: Resolve;
}

export interface LoadItem {
  /** Wins over `uri`. */
  payload?: Payload | null;
  uri?: string | null;
}

/**
 * The payload of an item: as given, or else loaded from its URI. One try.
 *
 * Errors are `ReembedError`s; `LoadFailed` alone is retryable. What another try cannot help is `LoadRefused` (a rule of
 * ours or an answer of the server forbids it), `NotFound`, `TooLarge`, `UnsupportedMedia` (no text) or `InvalidInput`
 * (text that cannot be stored). An aborted signal rejects with its reason.
 */
export type Loader = (item: LoadItem, options?: { signal?: AbortSignal }) => Promise<Payload>;

/**
 * Makes the loader of `file:`, `http:` and `https:` URIs.
 *
 * @example
 * const load = createLoader({ fileRoots: ['/data'], allowPrivateAddresses: false, timeoutMs: 30_000 });
 * await load({ uri: 'file:///data/a.txt' });
 */
export function createLoader(options: LoaderOptions): Loader {
  const { fileRoots, allowPrivateAddresses, timeoutMs, maxBytes = LIMITS.payloadBytes } = options;
  const mayConnect = allowPrivateAddresses ? (address: string) => !isServiceOfTheHost(address) : isPublicAddress;
  const loadHttp = createHttpLoader({ mayConnect, maxBytes, resolve: options.resolve ?? resolveForLoads });

  const loadUrl = (url: URL, signal: AbortSignal): Promise<Payload> => {
    if (url.protocol === 'file:') return loadFile(url, { fileRoots, maxBytes }, signal);
    if (url.protocol === 'http:' || url.protocol === 'https:') return loadHttp(url, signal);
    throw new ReembedError('LoadRefused', `a ${url.protocol} URI cannot be loaded: use http, https or file`);
  };

  return async (item, { signal } = {}) => {
    const payload = item.payload ?? (await loadUri(item.uri, signal));
    assertStorable(payload);
    return payload;
  };

  async function loadUri(uri: string | null | undefined, signal: AbortSignal | undefined): Promise<Payload> {
    if (uri === undefined || uri === null)
      throw new ReembedError('InvalidInput', 'the object has neither payload nor uri');
    if (!URL.canParse(uri)) throw new ReembedError('InvalidInput', 'the uri is not a valid absolute URI');
    return withDeadline(shownUri(uri), timeoutMs, signal, async (limited) => loadUrl(new URL(uri), limited));
  }
}
