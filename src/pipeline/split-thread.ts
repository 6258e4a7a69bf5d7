import { ReembedError } from '../contract/errors.ts';
import { type Range, rangesOf } from './split.ts';

export interface SplitRequest {
  text: string;
  chunkSize: number;
  chunkOverlap: number;
  maxParts: number;
}

/** An error would lose its class on the way to another thread. */
export type SplitAnswer = { tooLarge: string } | Uint32Array;

/** Runs in a thread. Returns the starts and ends of the parts, alternating. */
export default async function splitInThread({ text, maxParts, ...splitter }: SplitRequest): Promise<SplitAnswer> {
  try {
    return placesOf(await rangesOf(text, splitter, maxParts));
  } catch (error) {
    if (error instanceof ReembedError && error.type === 'TooLarge') return { tooLarge: error.message };
    throw error;
  }
}

function placesOf(ranges: readonly Range[]): Uint32Array {
  const places = new Uint32Array(ranges.length * 2);
  for (const [at, { start, end }] of ranges.entries()) places.set([start, end], at * 2);
  return places;
}
