import type { z } from 'zod';
import { type ErrorType, messageOf, ReembedError } from '../contract/errors.ts';
import { toJsonText } from '../contract/json-text/write.ts';
import { errorTypeOf, PROBLEM_MEDIA_TYPE, problemSchema } from '../contract/problem.ts';
import { readRetryAfterMs } from '../contract/retry-after.ts';

export interface ClientOptions {
  /** Address of the API, for instance `http://127.0.0.1:7400`. */
  baseUrl: string;
  /** Sent as `Authorization: Bearer …`. */
  token?: string;
  fetch?: typeof globalThis.fetch;
}

export type Query = Record<string, string | number | boolean | Date | null | undefined>;

export interface RequestOptions {
  query?: Query;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as JSON; already serialized. */
  jsonText?: string;
  /** Sent unchanged. */
  body?: { type: string; stream: ReadableStream<Uint8Array> };
  accept?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** Sends a request and returns the response if it is successful. Throws a `ReembedError` otherwise. */
export type Send = (method: string, path: string, options?: RequestOptions) => Promise<Response>;

export function createSend({ baseUrl, token, fetch = globalThis.fetch }: ClientOptions): Send {
  const base = baseUrl.replace(/(?<!\/)\/+$/, '');
  return async (method, path, options = {}) => {
    const { query = {}, json, body, accept = 'application/json', headers, signal } = options;
    const { jsonText = json === undefined ? undefined : toJsonText(json) } = options;
    const url = base + path + queryText(query);
    const type = body?.type ?? (jsonText === undefined ? undefined : 'application/json');
    const init = {
      method,
      headers: {
        accept,
        ...headers,
        ...(type !== undefined && { 'content-type': type }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: body?.stream ?? jsonText,
      signal,
      ...(body && { duplex: 'half' }),
    };
    const response = await fetch(url, init as RequestInit).catch((error: unknown) => {
      throw signal?.aborted ? error : unreachable(base, error);
    });
    if (!response.ok) throw await readError(response);
    return response;
  };
}

/** Reads and validates the JSON of a response. */
export async function readAs<S extends z.ZodType>(response: Response, schema: S): Promise<z.output<S>> {
  return checked(schema, await response.json().catch(() => undefined), response.url);
}

/** Validates a value that a server sent: another version of the server may use a different format. */
export function checked<S extends z.ZodType>(schema: S, value: unknown, url: string): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0] ?? { path: [], message: '' };
  const where = path.length > 0 ? ` at ${path.join('.')}` : '';
  throw new ReembedError(
    'Internal',
    `${url} returned a response that this client does not understand${where}: ${message}`,
    {
      cause: parsed.error,
    },
  );
}

/** Encodes one segment of a path. Error: `InvalidInput` for `.` and `..`, which a URL cannot hold, even encoded. */
export function segment(text: string): string {
  if (text === '.' || text === '..') {
    throw new ReembedError('InvalidInput', `${text} cannot be part of a URL path: find it in the list instead`);
  }
  return encodeURIComponent(text.toWellFormed());
}

function queryText(query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null)
      given.set(name, value instanceof Date ? value.toISOString() : String(value));
  }
  return given.size === 0 ? '' : `?${given}`;
}

const TYPE_OF_STATUS: Record<number, ErrorType> = {
  400: 'InvalidInput',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  413: 'TooLarge',
  415: 'UnsupportedMedia',
  429: 'TooManyRequests',
  502: 'ServerUnavailable',
  503: 'ServerUnavailable',
  504: 'ServerUnavailable',
};

/** Returns the error that the API sent, or one based on the status if a proxy sent the response. */
async function readError(response: Response): Promise<ReembedError> {
  const retryAfterMs = readRetryAfterMs(Object.fromEntries(response.headers));
  const text = await response.text().catch(() => '');
  if (response.headers.get('content-type')?.startsWith(PROBLEM_MEDIA_TYPE)) {
    const problem = problemSchema.safeParse(parseJson(text)).data;
    const type = problem && errorTypeOf(problem.type);
    if (type) {
      const { detail, issues, reason } = problem;
      return new ReembedError(type, detail, { issues, reason, retryAfterMs });
    }
  }
  const type = TYPE_OF_STATUS[response.status] ?? 'Internal';
  return new ReembedError(type, `${response.url} answered with status ${response.status}`, { retryAfterMs });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(base: string, error: unknown): ReembedError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return new ReembedError('ServerUnavailable', `no answer from ${base}: ${messageOf(cause)}`, { cause: error });
}
