import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Embedder } from '../../src/contract/embedder.ts';
import { type ErrorType, ReembedError } from '../../src/contract/errors.ts';
import { type IndexConfig, type IndexConfigInput, indexConfigSchema } from '../../src/contract/indexes.ts';
import { createLoader, type LoaderOptions } from '../../src/pipeline/load.ts';

/** Serves on a free port of 127.0.0.1 until the test ends; returns the address without a path. */
export async function serve(handler: http.RequestListener): Promise<string> {
  const server = http.createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A loader that may load from this machine. */
export const loaderOf = (options: Partial<LoaderOptions> = {}) =>
  createLoader({ fileRoots: [], allowPrivateAddresses: true, timeoutMs: 5_000, ...options });

/** Serves one answer; returns its address. */
export async function answering(body: string | Buffer, headers: Record<string, string> = {}, status = 200) {
  return serve((_request, response) => response.writeHead(status, headers).end(body));
}

export function indexConfig(input: Partial<IndexConfigInput> = {}): IndexConfig {
  return indexConfigSchema.parse({ model: { provider: 'hash', dimensions: 3 }, ...input });
}

/** The error that a promise rejects with; fails if it does not, or with another kind. */
export async function rejectionOf(promise: Promise<unknown>, type: ErrorType): Promise<ReembedError> {
  const error = await promise.then(
    (value) => {
      throw new Error(`resolved with ${JSON.stringify(value)}`);
    },
    (reason: unknown) => reason,
  );
  if (!(error instanceof ReembedError) || error.type !== type) throw error;
  return error;
}

/** An embedder whose vector identifies the text: its length, first and last code unit. Records its calls. */
export function fakeEmbedder(
  options: { maxTexts?: number; maxChars?: number; embed?: (text: string) => number[]; rejects?: string } = {},
) {
  const calls: string[][] = [];
  let running = 0;
  let maxRunning = 0;
  const vectorOf = options.embed ?? textVector;
  const embedder: Embedder = {
    dimensions: 3,
    maxTexts: options.maxTexts ?? 100,
    maxChars: options.maxChars ?? 100_000,
    async embed(texts, { signal }) {
      signal?.throwIfAborted();
      calls.push([...texts]);
      running += 1;
      maxRunning = Math.max(maxRunning, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      const { rejects } = options;
      if (rejects !== undefined && texts.some((text) => text.includes(rejects))) {
        throw new ReembedError('ModelRejectedInput', 'one of the texts is bad');
      }
      return texts.map(vectorOf);
    },
  };
  return { embedder, calls, maxRunning: () => maxRunning };
}

export function textVector(text: string): number[] {
  return [text.length, text.charCodeAt(0), text.charCodeAt(text.length - 1)];
}
