import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { hashString } from '../src/models/hashing.ts';
import { clusteredVectors } from './clustered.ts';

/** A model with clustered vectors, in a process of its own. */
export interface ClusteredModel {
  /** Base URL up to and including `/v1`. */
  url: string;
  stop(): void;
}

/** Starts an OpenAI-compatible server whose calls share a speed in texts per second; 0: it answers at once. */
export async function startClusteredModel(dimensions: number, textsPerSecond: number): Promise<ClusteredModel> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), [String(dimensions), String(textsPerSecond)]);
  const [url] = (await once(child, 'message')) as [string];
  return { url, stop: () => void child.kill() };
}

async function serve(dimensions: number, textsPerSecond: number): Promise<string> {
  const vectorOf = clusteredVectors(dimensions);
  let freeAtMs = 0;
  const server = createServer(async (request, response) => {
    const { input } = (await json(request)) as { input: string | string[] };
    const texts = [input].flat();
    if (textsPerSecond > 0) {
      freeAtMs = Math.max(performance.now(), freeAtMs) + (1_000 * texts.length) / textsPerSecond;
      await delay(freeAtMs - performance.now());
    }
    const data = texts.map((text, index) => ({ index, embedding: Array.from(vectorOf(hashString(text))) }));
    const tokens = texts.length;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ object: 'list', data, usage: { prompt_tokens: tokens, total_tokens: tokens } }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [dimensions = 384, textsPerSecond = 0] = process.argv.slice(2).map(Number);
  process.send?.(await serve(dimensions, textsPerSecond));
  process.on('disconnect', () => process.exit());
}
