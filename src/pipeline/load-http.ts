import http from 'node:http';
import https from 'node:https';
import { pipeline } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { ReembedError } from '../contract/errors.ts';
import type { Payload } from '../contract/objects.ts';
import { readRetryAfterMs } from '../contract/retry-after.ts';
import { checkedLookup, type MayConnect, type Resolve, refuseLiteralAddress } from '../net/addresses.ts';
import { decodePayload, mediaOf } from './decode.ts';
import { type Admit, NeedsMemory, readLimited, tooLarge } from './read-limited.ts';
import { shownUri } from './uri.ts';

export interface HttpOptions {
  mayConnect: MayConnect;
  maxBytes: number;
  resolve: Resolve;
}

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Statuses besides 5xx that a retry may change: timeout, too early, too many requests. */
const TRANSIENT = new Set([408, 425, 429]);
/** Idle connections to keep; most loads of a task go to one host. */
const KEPT_CONNECTIONS = { keepAlive: true, maxFreeSockets: 8, timeout: 10_000 };

const HEADERS = {
  accept: 'text/*, application/json;q=0.9, */*;q=0.1',
  'accept-encoding': 'gzip, br',
  'user-agent': 'reembed',
};

/**
 * Creates the function that loads `http:` and `https:` URLs by GET. Uses `node:http` instead of `fetch`, because only
 * there the caller controls which address a socket connects to. Sends no credentials and follows five redirects, each
 * checked like the first URL. Throws `LoadRefused`, `NotFound`, `TooLarge`, `UnsupportedMedia`, or the retryable
 * `LoadFailed` (with `retryAfterMs` if the server names a time).
 */
export function createHttpLoader(
  options: HttpOptions,
): (url: URL, signal: AbortSignal, admit?: Admit) => Promise<Payload> {
  const lookup = checkedLookup(options.resolve, options.mayConnect);
  // Separate agents, since a socket opened elsewhere may be connected to an unchecked address.
  const agents = { 'http:': new http.Agent(KEPT_CONNECTIONS), 'https:': new https.Agent(KEPT_CONNECTIONS) };

  const get = (url: URL, signal: AbortSignal) =>
    new Promise<http.IncomingMessage>((resolve, reject) => {
      const common = { method: 'GET', headers: HEADERS, lookup, signal };
      const request =
        url.protocol === 'https:'
          ? https.request(url, { ...common, agent: agents['https:'] })
          : http.request(url, { ...common, agent: agents['http:'] });
      request.on('response', resolve).on('error', reject).end();
    });

  return async (first, signal, admit) => {
    const what = shownUri(first.href);
    let url = first;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      refuseUrl(url, options.mayConnect, what);
      try {
        const response = await get(url, signal);
        const location = redirectOf(response);
        if (location === undefined) return await payloadOf(response, options.maxBytes, what, admit);
        response.destroy();
        if (!URL.canParse(location, url.href))
          throw new ReembedError('LoadRefused', `${what} redirects to an invalid URL`);
        url = new URL(location, url);
      } catch (error) {
        throw failureOf(error, what);
      }
    }
    throw new ReembedError('LoadRefused', `${what} redirects more than ${MAX_REDIRECTS} times`);
  };
}

function refuseUrl(url: URL, mayConnect: MayConnect, what: string): void {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new ReembedError('LoadRefused', `${what} redirects to ${url.protocol}, which is not allowed`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new ReembedError('LoadRefused', `${what} carries credentials, which are not allowed in a URI`);
  }
  refuseLiteralAddress(url, mayConnect);
}

function redirectOf(response: http.IncomingMessage): string | undefined {
  return REDIRECTS.has(response.statusCode ?? 0) ? response.headers.location : undefined;
}

async function payloadOf(
  response: http.IncomingMessage,
  maxBytes: number,
  what: string,
  admit?: Admit,
): Promise<Payload> {
  try {
    refuseStatus(response, what);
    const media = mediaOf(response.headers['content-type'], what);
    if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(what, maxBytes);
    const bytes = await readLimited(decompressed(response, what), maxBytes, what, admit);
    return decodePayload(bytes, media, what);
  } finally {
    // After a complete body this does nothing and the connection is kept; otherwise it ends the download.
    if (!response.complete) response.destroy();
  }
}

function refuseStatus(response: http.IncomingMessage, what: string): void {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return;
  const message = `${what} answers ${status}`;
  if (status === 404 || status === 410) throw new ReembedError('NotFound', message);
  if (status >= 500 || TRANSIENT.has(status)) {
    throw new ReembedError('LoadFailed', message, { retryAfterMs: readRetryAfterMs(response.headers) });
  }
  throw new ReembedError('LoadRefused', message);
}

function decompressed(response: http.IncomingMessage, what: string): AsyncIterable<Uint8Array> {
  const encoding = (response.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  // `pipeline` passes an error of either stream to the reader of the last one; the callback has nothing to add.
  const through = (stream: NodeJS.ReadWriteStream) => pipeline(response, stream, () => {}) as AsyncIterable<Uint8Array>;
  if (encoding === 'identity' || encoding === '') return response;
  if (encoding === 'gzip' || encoding === 'x-gzip') return through(createGunzip());
  if (encoding === 'br') return through(createBrotliDecompress());
  if (encoding === 'deflate') return through(createInflate());
  throw new ReembedError('UnsupportedMedia', `${what} has the content encoding ${encoding.slice(0, 50)}`);
}

/** OpenSSL and Node codes for a certificate that a retry will not accept either. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)/;
const COMPRESSION = /^(Z_DATA_ERROR|Z_NEED_DICT|ERR__ERROR_FORMAT|ERR_BROTLI)/;

function failureOf(error: unknown, what: string): unknown {
  if (error instanceof ReembedError || error instanceof NeedsMemory) return error;
  const code = (error as NodeJS.ErrnoException).code ?? 'no answer';
  // Only the code: the message of a socket error contains the address behind a host name.
  if (CERTIFICATE.test(code)) return new ReembedError('LoadRefused', `${what} has no valid certificate (${code})`);
  if (COMPRESSION.test(code)) return new ReembedError('UnsupportedMedia', `${what} is not validly compressed`);
  return new ReembedError('LoadFailed', `${what} could not be loaded (${code})`, { cause: error });
}
