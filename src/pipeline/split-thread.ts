import { ReembedError } from '../contract/errors.ts';
import { lowerThreadPriority } from '../cpu/thread-priority.ts';
import { type Cutting, cutText } from './cut.ts';
import type { Range } from './split.ts';

export interface SplitRequest {
  text: string;
  cutting: Cutting;
  maxParts: number;
}

/** An error would lose its class on the way to another thread. */
export type SplitAnswer = { refused: 'TooLarge' | 'TokenizerMissing'; message: string } | Uint32Array;

/** Runs in a thread. Returns the starts and ends of the parts, alternating. */
export default async function splitInThread({ text, cutting, maxParts }: SplitRequest): Promise<SplitAnswer> {
  lowerThreadPriority();
  try {
    return placesOf(await cutText(text, cutting, maxParts));
  } catch (error) {
    if (!(error instanceof ReembedError)) throw error;
    const { type, message } = error;
    if (type === 'TooLarge' || type === 'TokenizerMissing') return { refused: type, message };
    throw error;
  }
}

function placesOf(ranges: readonly Range[]): Uint32Array {
  const places = new Uint32Array(ranges.length * 2);
  for (const [at, { start, end }] of ranges.entries()) places.set([start, end], at * 2);
  return places;
}
