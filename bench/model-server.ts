import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startEmbeddingServer } from '../test/support/embedding-server.ts';

export interface ModelServer {
  /** Base URL up to and including `/v1`. */
  url: string;
  stop(): void;
}

/** Starts an OpenAI-compatible embedding server in a separate process, which waits `delayMs` before each response. */
export async function startModelServer(dimensions: number, delayMs: number): Promise<ModelServer> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), [String(dimensions), String(delayMs)]);
  const [url] = (await once(child, 'message')) as [string];
  return { url, stop: () => void child.kill() };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [dimensions, delayMs] = process.argv.slice(2).map(Number);
  const { url } = await startEmbeddingServer({ dimensions, delayMs, record: false });
  process.send?.(url);
  process.on('disconnect', () => process.exit());
}
