import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { hashString } from '../../src/models/hashing.ts';

/** The reaction of the server to one request. */
export type Behaviour =
  | { kind: 'embed' }
  /** Correct in form, but with vectors of this many dimensions. */
  | { kind: 'wrongDimension'; dimensions: number }
  /** Correct in form, but one vector too few. */
  | { kind: 'missingVector' }
  /** All vectors in reverse order: with the right numbers, all with the same, or with numbers of no text. */
  | { kind: 'reversed'; index: 'right' | 'same' | 'outOfRange' }
  /** One vector, of the first text, is null. */
  | { kind: 'nullVector' }
  | { kind: 'error'; status: number; message?: string; headers?: Record<string, string> }
  | { kind: 'raw'; status: number; body: string; headers?: Record<string, string> }
  /** Reads the request and never answers. */
  | { kind: 'hang' }
  /** Closes the connection without an answer. */
  | { kind: 'disconnect' };

export interface EmbeddingRequest {
  texts: string[];
  model: string;
  /** The body as sent, for everything else. */
  body: Record<string, unknown>;
  headers: Record<string, string | string[] | undefined>;
  /** 0 for the first request of this server. */
  number: number;
}

/** Chooses by request; `undefined` embeds. */
export type Behave = (request: EmbeddingRequest) => Behaviour | undefined;

export interface EmbeddingServerOptions {
  dimensions?: number;
  /** Wait before each answer. */
  delayMs?: number;
  behave?: Behave;
  /** If set, other keys get 401. */
  apiKey?: string;
  /** Vectors as base64 for clients that ask for it, like OpenAI; other servers refuse this, or answer with numbers. */
  base64?: 'answers' | 'refuses' | 'ignores';
  /** Tokens that the server counts for a text in `usage`; default: 1. Null counts none. */
  tokensOf?: ((text: string) => number) | null;
  /** Keep each request in `requests`; off for benchmarks, where they would fill the memory. */
  record?: boolean;
  port?: number;
}

export interface EmbeddingServer {
  /** Base URL up to and including `/v1`. */
  readonly url: string;
  readonly requests: EmbeddingRequest[];
  /** Also counted when requests are not kept; `texts` counts those that were answered with vectors. */
  readonly counts: { requests: number; texts: number; tokens: number };
  /** Changes the behavior from the next request on. */
  behave(behave: Behave): void;
  vectorOf(text: string): number[];
  close(): Promise<void>;
}

/** Starts an OpenAI-compatible `POST /v1/embeddings` on a free port of the loopback address. */
export async function startEmbeddingServer(options: EmbeddingServerOptions = {}): Promise<EmbeddingServer> {
  const { dimensions = 8, delayMs = 0, apiKey, record = true, port = 0, base64 = 'answers' } = options;
  const { tokensOf = () => 1 } = options;
  const requests: EmbeddingRequest[] = [];
  const counts = { requests: 0, texts: 0, tokens: 0 };
  let behave: Behave = options.behave ?? (() => undefined);

  const server = createServer(async (incoming, response) => {
    const body = await readJson(incoming);
    const texts = [body.input].flat() as string[];
    const request: EmbeddingRequest = {
      texts,
      model: String(body.model),
      body,
      headers: incoming.headers,
      number: counts.requests++,
    };
    if (record) requests.push(request);
    const wantsBytes = body.encoding_format === 'base64';
    const refused = wantsBytes && base64 === 'refuses' ? BASE64_REFUSED : refusal(incoming, apiKey);
    const behaviour = refused ?? behave(request) ?? { kind: 'embed' };
    if (delayMs > 0) await sleep(delayMs);
    const tokens = tokensOf && texts.reduce((sum, text) => sum + tokensOf(text), 0);
    const form = { dimensions, asBytes: wantsBytes && base64 === 'answers', tokens };
    if (!answer(response, behaviour, request, form)) return;
    counts.texts += texts.length;
    counts.tokens += tokens ?? 0;
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    counts,
    behave: (next) => {
      behave = next;
    },
    vectorOf: (text) => JSON.parse(vectorJson(text, dimensions)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** 400 for each call with a text that matches. */
export function rejectTexts(pattern: RegExp): Behave {
  return ({ texts }) =>
    texts.some((text) => pattern.test(text))
      ? { kind: 'error', status: 400, message: 'a text cannot be embedded' }
      : undefined;
}

/** The given behaviors one after the other, then success. */
export function inTurn(...behaviours: Behaviour[]): Behave {
  let next = 0;
  return () => behaviours[next++];
}

const BASE64_REFUSED: Behaviour = { kind: 'error', status: 400, message: 'encoding_format must be float' };

function refusal({ method, url, headers }: IncomingMessage, apiKey?: string): Behaviour | undefined {
  if (method !== 'POST' || url !== '/v1/embeddings') return { kind: 'error', status: 404, message: 'no such path' };
  if (apiKey === undefined || headers.authorization === `Bearer ${apiKey}`) return undefined;
  return { kind: 'error', status: 401, message: `Incorrect API key provided: ${headers.authorization}` };
}

interface AnswerForm {
  dimensions: number;
  asBytes: boolean;
  /** Null leaves `usage` out. */
  tokens: number | null;
}

/** Returns whether vectors were sent. */
function answer(
  response: ServerResponse,
  behaviour: Behaviour,
  { texts, model }: EmbeddingRequest,
  form: AnswerForm,
): boolean {
  switch (behaviour.kind) {
    case 'embed':
      send(response, 200, embeddingsJson(texts, model, form));
      return true;
    case 'wrongDimension':
      send(response, 200, embeddingsJson(texts, model, { ...form, dimensions: behaviour.dimensions }));
      return false;
    case 'missingVector':
      send(response, 200, embeddingsJson(texts.slice(1), model, form));
      return false;
    case 'reversed':
      send(response, 200, reversed(embeddingsJson(texts, model, form), behaviour.index));
      return false;
    case 'nullVector': {
      const body = JSON.parse(embeddingsJson(texts, model, form));
      body.data[0].embedding = null;
      send(response, 200, JSON.stringify(body));
      return false;
    }
    case 'error': {
      const { status, message = `status ${behaviour.status}`, headers } = behaviour;
      send(response, status, JSON.stringify({ error: { message, type: 'test', code: null } }), headers);
      return false;
    }
    case 'raw':
      send(response, behaviour.status, behaviour.body, behaviour.headers);
      return false;
    case 'hang':
      return false;
    case 'disconnect':
      response.destroy();
      return false;
  }
}

function send(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body);
}

async function readJson(incoming: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function embeddingsJson(texts: string[], model: string, { dimensions, asBytes, tokens }: AnswerForm): string {
  const embedding = (text: string) => (asBytes ? vectorBase64(text, dimensions) : vectorJson(text, dimensions));
  const data = texts.map((text, index) => `{"object":"embedding","index":${index},"embedding":${embedding(text)}}`);
  const usage = tokens === null ? '' : `,"usage":{"prompt_tokens":${tokens},"total_tokens":${tokens}}`;
  return `{"object":"list","model":${JSON.stringify(model)},"data":[${data.join()}]${usage}}`;
}

function reversed(json: string, index: 'right' | 'same' | 'outOfRange'): string {
  const body = JSON.parse(json) as { data: { index: number }[] };
  body.data.reverse();
  for (const entry of body.data) {
    if (index === 'same') entry.index = 0;
    if (index === 'outOfRange') entry.index += 1_000;
  }
  return JSON.stringify(body);
}

const RUN = 16;
/** Prepared runs of 16 numbers: a vector is runs chosen by its text, so that writing it costs almost nothing. */
const RUNS = Array.from({ length: 4096 }, (_, run) =>
  Array.from({ length: RUN }, (_, at) => (hashString(`${run}.${at}`) % 2001) / 1000 - 1).map((value) =>
    value.toFixed(3),
  ),
);
const JOINED_RUNS = RUNS.map((run) => run.join());
const RUN_BYTES = RUNS.map((run) => Buffer.from(Float32Array.from(run, Number).buffer));

function vectorJson(text: string, dimensions: number): string {
  const parts = runsOf(text, dimensions).map((run, at) => {
    const left = dimensions - at * RUN;
    return left >= RUN ? (JOINED_RUNS[run] as string) : (RUNS[run] as string[]).slice(0, left).join();
  });
  return `[${parts.join()}]`;
}

/** The machines that this runs on are little-endian, like the format. */
function vectorBase64(text: string, dimensions: number): string {
  const runs = runsOf(text, dimensions).map((run) => RUN_BYTES[run] as Buffer);
  return `"${Buffer.concat(runs, dimensions * 4).toString('base64')}"`;
}

function runsOf(text: string, dimensions: number): number[] {
  const runs: number[] = [];
  let hash = hashString(text);
  for (let left = dimensions; left > 0; left -= RUN) {
    runs.push(hash % RUNS.length);
    hash = hashString('next', hash);
  }
  return runs;
}
