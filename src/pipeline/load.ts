import { ReembedError } from '../contract/errors.ts';
import { LIMITS } from '../contract/limits.ts';
import type { Payload } from '../contract/objects.ts';
import { isPublicAddress, isServiceOfTheHost, type Resolve } from '../net/addresses.ts';
import { resolveForLoads } from '../net/resolve.ts';
import { withDeadline } from './deadline.ts';
import { loadFile } from './load-file.ts';
import { createHttpLoader } from './load-http.ts';
import type { Admit } from './read-limited.ts';
import { assertStorable } from './storable.ts';
import { shownUri } from './uri.ts';

export interface LoaderOptions {
  /** Folders from which `file:` URIs may be loaded; if empty, no files can be loaded. */
  fileRoots: readonly string[];
  /** Also load from addresses outside the public internet. */
  allowPrivateAddresses: boolean;
  /** Max bytes of one payload, after decompression. */
  maxBytes?: number;
  /** Time limit for one load, redirects and body included. */
  timeoutMs: number;
  /** Resolves host names; default: the system's resolver. */
  resolve?: Resolve;
}

export interface LoadItem {
  /** Takes precedence over `uri`. */
  payload?: Payload | null;
  uri?: string | null;
}

/**
 * Returns the payload of an item, either as given or loaded from its URI in one attempt.
 *
 * Errors are `ReembedError`s; only `LoadFailed` is retryable. The others are `LoadRefused` (forbidden by a rule or by
 * the server's response), `NotFound`, `TooLarge`, `UnsupportedMedia` (not text) and `InvalidInput` (text that cannot be
 * stored). An aborted signal rejects with its reason, and what `admit` throws as it is.
 */
export type Loader = (item: LoadItem, options?: LoadOptions) => Promise<Payload>;

export interface LoadOptions {
  signal?: AbortSignal | undefined;
  admit?: Admit | undefined;
}

/**
 * Creates the loader of `file:`, `http:` and `https:` URIs.
 *
 * @example
 * const load = createLoader({ fileRoots: ['/data'], allowPrivateAddresses: false, timeoutMs: 30_000 });
 * await load({ uri: 'file:///data/a.txt' });
 */
export function createLoader(options: LoaderOptions): Loader {
  const { fileRoots, allowPrivateAddresses, timeoutMs, maxBytes = LIMITS.payloadBytes } = options;
  const mayConnect = allowPrivateAddresses ? (address: string) => !isServiceOfTheHost(address) : isPublicAddress;
  const loadHttp = createHttpLoader({ mayConnect, maxBytes, resolve: options.resolve ?? resolveForLoads });

  const loadUrl = (url: URL, signal: AbortSignal, admit?: Admit): Promise<Payload> => {
    if (url.protocol === 'file:') return loadFile(url, { fileRoots, maxBytes }, signal, admit);
    if (url.protocol === 'http:' || url.protocol === 'https:') return loadHttp(url, signal, admit);
    throw new ReembedError('LoadRefused', `a ${url.protocol} URI cannot be loaded: use http, https or file`);
  };

  return async (item, options = {}) => {
    const payload = item.payload ?? (await loadUri(item.uri, options));
    assertStorable(payload);
    return payload;
  };

  async function loadUri(uri: string | null | undefined, { signal, admit }: LoadOptions): Promise<Payload> {
    if (uri === undefined || uri === null)
      throw new ReembedError('InvalidInput', 'the object has neither payload nor uri');
    if (!URL.canParse(uri)) throw new ReembedError('InvalidInput', 'the uri is not a valid absolute URI');
    return withDeadline(shownUri(uri), timeoutMs, signal, async (limited) => loadUrl(new URL(uri), limited, admit));
  }
}
