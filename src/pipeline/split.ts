import { ReembedError } from '../contract/errors.ts';

/** One chunk of a text: `text` is `whole.slice(start, end)`. */
export interface Part {
  /** Counts from 0. */
  part: number;
  /** In UTF-16 code units, as in JavaScript strings. */
  start: number;
  end: number;
  text: string;
}

export interface Sizes {
  /** Maximum characters of a part, and how many of them it shares with the previous one. */
  chunkSize: number;
  chunkOverlap: number;
}

export interface Range {
  start: number;
  end: number;
}

/**
 * Splits a text into parts of at most `chunkSize` characters: at paragraphs if possible, otherwise at lines, words or
 * characters (never within a surrogate pair). Neighbors share up to `chunkOverlap` characters. Parts are trimmed, not
 * empty, and not contained in each other; a blank text has no parts. Only white space lies outside all parts. Throws
 * `TooLarge` as soon as there are more than `maxParts`, before creating their texts.
 */
export async function splitText(text: string, splitter: Sizes, maxParts = Number.POSITIVE_INFINITY): Promise<Part[]> {
  const ranges = await rangesOf(text, splitter, maxParts);
  return ranges.map(({ start, end }, part) => ({ part, start, end, text: text.slice(start, end) }));
}

/** Returns the ranges of the parts that `splitText` returns. */
export async function rangesOf(text: string, splitter: Sizes, maxParts: number): Promise<Range[]> {
  const ranges = text.length <= splitter.chunkSize ? [{ start: 0, end: text.length }] : cut(text, splitter, maxParts);
  return withoutContained(ranges.map((range) => trimmed(text, range)).filter(({ start, end }) => end > start));
}

/**
 * Removes ranges that lie within a neighbor. After trimming, a part that was mostly overlap can be contained in or
 * equal to its neighbor: one more vector to pay for, and a duplicate hit. Starts and ends of `ranges` must not
 * decrease.
 */
export function withoutContained(ranges: Range[]): Range[] {
  const kept: Range[] = [];
  for (const range of ranges) {
    const last = kept.at(-1);
    if (last !== undefined && range.end <= last.end) continue;
    if (last !== undefined && range.start === last.start) kept.pop();
    kept.push(range);
  }
  return kept;
}

/**
 * Where to cut, coarse to fine: before an empty line, a line, a word. What is still too long after that is cut into code
 * points, and not into UTF-16 code units, which would break characters beyond U+FFFF.
 */
const SEPARATORS = [/(?=\n\n)/, /(?=\n)/, /(?= )/];

/** Cuts a text that is longer than `chunkSize`. Its pieces are merged from left to right, so positions are sums. */
function cut(text: string, splitter: Sizes, maxParts: number): Range[] {
  const ranges: Range[] = [];
  let merged = 0;
  let filled = 0;
  const add = (range: Range) => {
    const { start, end } = trimmed(text, range);
    if (end > start && ++filled > maxParts) {
      const size = `${splitter.chunkSize} characters, ${splitter.chunkOverlap} of them shared`;
      throw new ReembedError('TooLarge', `the text has more than ${maxParts} parts of ${size}`);
    }
    ranges.push(range);
  };
  const merge = (pieces: readonly string[]) => {
    if (pieces.length > 0) merged = mergePieces(pieces, merged, splitter, add);
  };
  const divide = (piece: string, [separator, ...finer]: readonly RegExp[]) => {
    if (separator === undefined) return merge(Array.from(piece));
    let small: string[] = [];
    for (const each of piece.split(separator)) {
      if (each.length < splitter.chunkSize) {
        small.push(each);
        continue;
      }
      merge(small);
      small = [];
      divide(each, finer);
    }
    merge(small);
  };
  divide(text, SEPARATORS);
  return ranges;
}

/**
 * Joins consecutive pieces, the first of which is at `from`, to ranges of at most `chunkSize`. Each range begins with the
 * last pieces of the previous one, as far as they fit into `chunkOverlap`. Returns the end of the last piece.
 */
function mergePieces(
  pieces: readonly string[],
  from: number,
  { chunkSize, chunkOverlap }: Sizes,
  add: (range: Range) => void,
): number {
  let first = 0;
  let start = from;
  let end = from;
  for (const [at, { length }] of pieces.entries()) {
    if (end - start + length > chunkSize && at > first) {
      add({ start, end });
      while (first < at && (end - start > chunkOverlap || end - start + length > chunkSize)) {
        start += pieces[first]?.length ?? 0;
        first += 1;
      }
    }
    end += length;
  }
  add({ start, end });
  return end;
}

/** Returns a range without the white space at its ends. */
export function trimmed(text: string, { start, end }: Range): Range {
  const chunk = text.slice(start, end);
  return { start: start + chunk.length - chunk.trimStart().length, end: start + chunk.trimEnd().length };
}
