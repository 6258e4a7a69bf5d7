import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startEmbeddingServer } from '../test/support/embedding-server.ts';

export interface ModelServer {
  /** Base URL up to and including `/v1`. */
  url: string;
  /** Returns what it has answered so far. */
  counts(): Promise<{ requests: number; texts: number; tokens: number }>;
  stop(): void;
}

/** Counts pieces of words of up to four letters, numbers and signs, about as tokenizers do. */
export function piecesOf(text: string): number {
  return text.match(/\p{L}{1,4}|\p{N}{1,3}|[^\p{L}\p{N}\s]/gu)?.length ?? 0;
}

/**
 * Starts an OpenAI-compatible embedding server in a separate process, which waits `delayMs` before each response and
 * counts tokens with `piecesOf`.
 */
export async function startModelServer(dimensions: number, delayMs: number): Promise<ModelServer> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), [String(dimensions), String(delayMs)]);
  const [url] = (await once(child, 'message')) as [string];
  return {
    url,
    async counts() {
      const answered = once(child, 'message');
      child.send('counts');
      return (await answered)[0];
    },
    stop: () => void child.kill(),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [dimensions, delayMs] = process.argv.slice(2).map(Number);
  const { url, counts } = await startEmbeddingServer({ dimensions, delayMs, record: false, tokensOf: piecesOf });
  process.send?.(url);
  process.on('message', () => process.send?.(counts));
  process.on('disconnect', () => process.exit());
}
