import { availableParallelism } from 'node:os';
import { ReembedError } from '../contract/errors.ts';
import type { Splitter } from '../contract/indexes.ts';
import { Pace } from '../cpu/pace.ts';
import { WorkerPool } from '../cpu/worker-pool.ts';
import { type Part, splitText } from './split.ts';
import type { SplitAnswer, SplitRequest } from './split-thread.ts';

/** The splitter holds the event loop for about 10 ms with a text of this length; longer ones are split in a thread. */
export const ASIDE_CHARS = 50_000;

const MOST_THREADS = 4;

let pool: WorkerPool<SplitRequest, SplitAnswer> | undefined;

/** One pool for the process, made when it is first needed. */
function threads(): WorkerPool<SplitRequest, SplitAnswer> {
  const fromSources = import.meta.url.endsWith('.ts');
  pool ??= new WorkerPool(new URL(fromSources ? './split-thread-dev.mjs' : './split-thread.js', import.meta.url), {
    most: Math.max(1, Math.min(MOST_THREADS, availableParallelism() - 1)),
  });
  return pool;
}

/**
 * Splits a text as `splitText` does, without holding the event loop. Aborting `signal` ends the work, whatever it is at.
 */
export async function splitAside(
  text: string,
  splitter: Pick<Splitter, 'chunkSize' | 'chunkOverlap'>,
  mostParts = Number.POSITIVE_INFINITY,
  signal?: AbortSignal,
): Promise<Part[]> {
  if (text.length <= ASIDE_CHARS) return splitText(text, splitter, mostParts);
  const { chunkSize, chunkOverlap } = splitter;
  const answer = await threads().run({ text, chunkSize, chunkOverlap, mostParts }, signal);
  if ('tooLarge' in answer) throw new ReembedError('TooLarge', answer.tooLarge);
  const pace = new Pace();
  const parts: Part[] = [];
  for (let at = 0; at < answer.length; at += 2) {
    const [start = 0, end = 0] = [answer[at], answer[at + 1]];
    parts.push({ part: at / 2, start, end, text: text.slice(start, end) });
    await pace.breathe();
  }
  return parts;
}
