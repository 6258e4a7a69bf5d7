import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { ErrorType } from '../../../src/contract/errors.ts';
import type { Contract, Operation } from './contract.ts';
import type { ServerName, World } from './world.ts';

/** One request that causes one documented answer. */
export interface Case {
  /** The `operationId`. */
  operation: string;
  /** The status, or the type of an error. */
  expect: number | ErrorType;
  /** Server that gets the request; default: `api`. */
  on?: ServerName;
  /** Creates what the case needs, and returns how the request differs from the document's example. */
  given?: (world: World) => Change | Promise<Change>;
}

export interface Change {
  path?: Record<string, string>;
  /** An undefined value removes a parameter of the example. */
  query?: Record<string, string | undefined>;
  headers?: Record<string, string>;
  /** A text is sent unchanged. */
  body?: unknown;
}

export interface Sendable {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
}

/** Builds the document's example request, with the required parameters and the JSON body, and applies the change. */
export function requestOf(contract: Contract, { method, path, json }: Operation, change: Change = {}): Sendable {
  const names: Record<string, string> = {};
  const query: Record<string, string | undefined> = {};
  for (const { name, in: place, required, ...rest } of json.parameters ?? []) {
    if (place === 'path') names[name] = String(exampleOf(rest.schema));
    if (place === 'query' && required) query[name] = String(exampleOf(rest.schema));
  }
  Object.assign(names, change.path);
  Object.assign(query, change.query);
  const content = json.requestBody?.content['application/json'];
  const body = change.body ?? (content && exampleOf(contract.deref(content.schema)));
  const search = new URLSearchParams(
    Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names[name] ?? ''));
  return {
    method: method.toUpperCase(),
    path: search.size > 0 ? `${filled}?${search}` : filled,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...change.headers },
    body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
  };
}

/** Like `fetch`, which cannot send a `Host` other than that of the address. */
export async function send(url: string, { method, headers, body }: Omit<Sendable, 'path'>): Promise<Response> {
  if (headers.host === undefined) return fetch(url, { method, headers, body: body ?? null });
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers }, async (answer) => {
      const status = answer.statusCode ?? 0;
      resolve(new Response(await text(answer), { status, headers: answer.headers as Record<string, string> }));
    });
    sent.on('error', reject).end(body);
  });
}

export function exampleOf(schema: { examples?: unknown[]; default?: unknown }): unknown {
  return schema.examples?.[0] ?? schema.default;
}

/** Reads a body as text. An event stream of a list does not end: only its first event is read. */
export async function bodyOf(response: Response): Promise<string> {
  const isList = response.url.includes('/list') && response.headers.get('content-type') === 'text/event-stream';
  if (!isList || !response.body) return response.text();
  let text = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes('\n\n')) break;
  }
  return text;
}
