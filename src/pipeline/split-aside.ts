import { availableParallelism } from 'node:os';
import { ReembedError } from '../contract/errors.ts';
import type { Splitter } from '../contract/indexes.ts';
import { moduleBeside } from '../cpu/module-beside.ts';
import { Pace } from '../cpu/pace.ts';
import { WorkerPool } from '../cpu/worker-pool.ts';
import { type Part, splitText } from './split.ts';
import type { SplitAnswer, SplitRequest } from './split-thread.ts';

/**
 * The splitter blocks the event loop for about 10 ms with a text of this length; longer texts are split in a thread.
 */
export const ASIDE_CHARS = 50_000;

const MAX_THREADS = 4;

let pool: WorkerPool<SplitRequest, SplitAnswer> | undefined;

/** Returns the one pool of the process, created on first use. */
function threads(): WorkerPool<SplitRequest, SplitAnswer> {
  pool ??= new WorkerPool(moduleBeside(import.meta.url, 'split-thread'), {
    max: Math.max(1, Math.min(MAX_THREADS, availableParallelism() - 1)),
  });
  return pool;
}

/** Splits a text as `splitText` does, without blocking the event loop. Aborting `signal` ends the work immediately. */
export async function splitAside(
  text: string,
  splitter: Pick<Splitter, 'chunkSize' | 'chunkOverlap'>,
  maxParts = Number.POSITIVE_INFINITY,
  signal?: AbortSignal,
): Promise<Part[]> {
  if (text.length <= ASIDE_CHARS) return splitText(text, splitter, maxParts);
  const { chunkSize, chunkOverlap } = splitter;
  const answer = await threads().run({ text, chunkSize, chunkOverlap, maxParts }, signal);
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
