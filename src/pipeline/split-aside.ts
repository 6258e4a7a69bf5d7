import { availableParallelism } from 'node:os';
import { ReembedError } from '../contract/errors.ts';
import { moduleBeside } from '../cpu/module-beside.ts';
import { Pace } from '../cpu/pace.ts';
import { WorkerPool } from '../cpu/worker-pool.ts';
import { type Cutting, cutText } from './cut.ts';
import type { Part } from './split.ts';
import type { SplitAnswer, SplitRequest } from './split-thread.ts';

/**
 * The splitter blocks the event loop for about 10 ms with a text of this length; longer texts are split in a thread.
 */
export const ASIDE_CHARS = 50_000;
/** The same for one that counts tokens. */
export const ASIDE_TOKEN_CHARS = 5_000;

const MAX_THREADS = 4;

let pool: WorkerPool<SplitRequest, SplitAnswer> | undefined;

/** Returns the one pool of the process, created on first use. */
function threads(): WorkerPool<SplitRequest, SplitAnswer> {
  pool ??= new WorkerPool(moduleBeside(import.meta.url, 'split-thread'), {
    max: Math.max(1, Math.min(MAX_THREADS, availableParallelism() - 1)),
  });
  return pool;
}

/**
 * Splits a text into parts, without blocking the event loop. Aborting `signal` ends the work immediately. Errors: as
 * `cutText`.
 */
export async function splitAside(
  text: string,
  cutting: Cutting,
  maxParts = Number.POSITIVE_INFINITY,
  signal?: AbortSignal,
): Promise<Part[]> {
  const places = text.length <= limitOf(cutting) ? await cutHere(text, cutting, maxParts) : undefined;
  const answer = places ?? (await threads().run({ text, cutting, maxParts }, signal));
  if ('refused' in answer) throw new ReembedError(answer.refused, answer.message);
  const pace = new Pace();
  const parts: Part[] = [];
  for (let at = 0; at < answer.length; at += 2) {
    const [start = 0, end = 0] = [answer[at], answer[at + 1]];
    parts.push({ part: at / 2, start, end, text: text.slice(start, end) });
    if (pace.isDue) await pace.breathe();
  }
  return parts;
}

async function cutHere(text: string, cutting: Cutting, maxParts: number): Promise<number[]> {
  const ranges = await cutText(text, cutting, maxParts);
  return ranges.flatMap(({ start, end }) => [start, end]);
}

const limitOf = ({ chunkTokens, window }: Cutting) =>
  chunkTokens === undefined && !window ? ASIDE_CHARS : ASIDE_TOKEN_CHARS;
