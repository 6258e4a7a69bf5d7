import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export const DIMENSIONS = 4;

/** One call of the provider. */
export interface Call {
  texts: string[];
  /** Number of the call in this use of this provider, from 1. */
  number: number;
  /** As base64 of single-precision numbers, or as requested. */
  encoding: unknown;
  body: Record<string, unknown>;
  response: ServerResponse;
  /** As many items as texts, each with its index and its vector in the requested encoding. */
  items(change?: Partial<{ dimensions: number; bytes: boolean }>): Item[];
  /** Answers with JSON. */
  send(status: number, value: unknown, headers?: Record<string, string>): void;
  /** Answers with vectors. */
  embed(items?: unknown[]): void;
}

export interface Item {
  object: string;
  index: unknown;
  embedding: unknown;
}

/** The reaction of a provider to a call; one that does nothing never answers. */
export type Day = (call: Call) => unknown;

export interface Use {
  baseUrl: string;
  /** Address of a port at which nobody listens. */
  closedUrl: string;
  calls: { texts: string[]; atMs: number }[];
  /** From now on everything works. */
  mend(): void;
}

export interface Provider {
  /** A separate model, which has this day until it is repaired. */
  use(name: string, day: Day): Use;
  /** Calls of another address than the given ones. */
  strangers: number;
  close(): Promise<void>;
}

/** Exact in single precision, never zero, and different for each text. */
export function vectorOf(text: string, dimensions = DIMENSIONS): number[] {
  const vector = Array.from({ length: dimensions }, (_, at) => (at + 1) / 8);
  for (const [at, char] of [...text].entries()) {
    const place = at % dimensions;
    vector[place] = (vector[place] ?? 0) + ((char.codePointAt(0) ?? 0) % 64) / 16;
  }
  return vector;
}

export const base64Of = (vector: readonly number[]) => Buffer.from(Float32Array.from(vector).buffer).toString('base64');

/** Starts a server that speaks OpenAI's `POST /embeddings`, with any number of models. */
export async function startProvider(): Promise<Provider> {
  const days = new Map<string, { day: Day; calls: Use['calls'] }>();
  const sockets = new Set<Socket>();
  const server = createServer(async (request, response) => {
    const name = new URL(request.url ?? '/', 'http://localhost').pathname.split('/')[1] ?? '';
    const known = days.get(name);
    if (!known) {
      provider.strangers++;
      response.writeHead(404).end();
      return;
    }
    const body = JSON.parse(await textOf(request)) as Record<string, unknown>;
    const texts = [body.input].flat() as string[];
    known.calls.push({ texts, atMs: Date.now() });
    try {
      await known.day(callOf(texts, body, known.calls.length, response));
    } catch {
      response.destroy();
    }
  });
  // A busy machine may notice the end of an idle connection only after it has sent the next call there.
  server.keepAliveTimeout = 0;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const closedPort = await portOfNobody();
  const provider: Provider = {
    strangers: 0,
    use(name, day) {
      const calls: Use['calls'] = [];
      days.set(name, { day, calls });
      return {
        baseUrl: `http://127.0.0.1:${port}/${name}/v1`,
        closedUrl: `http://127.0.0.1:${closedPort}/v1`,
        calls,
        mend: () => days.set(name, { day: (call) => call.embed(), calls }),
      };
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return provider;
}

async function portOfNobody(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function callOf(texts: string[], body: Record<string, unknown>, number: number, response: ServerResponse): Call {
  const encoding = body.encoding_format;
  const call: Call = {
    ...{ texts, number, encoding, body, response },
    items({ dimensions = DIMENSIONS, bytes = encoding === 'base64' } = {}) {
      return texts.map((text, index) => {
        const vector = vectorOf(text, dimensions);
        return { object: 'embedding', index, embedding: bytes ? base64Of(vector) : vector };
      });
    },
    send(status, value, headers = {}) {
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
    },
    embed(items = call.items()) {
      const usage = { prompt_tokens: texts.length, total_tokens: texts.length };
      call.send(200, { object: 'list', model: body.model, data: items, usage });
    },
  };
  return call;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
