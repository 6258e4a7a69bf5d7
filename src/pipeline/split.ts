import { RecursiveCharacterTextSplitter } from '@langchain/textsplitters';
import { ReembedError } from '../contract/errors.ts';
import type { Splitter } from '../contract/indexes.ts';

/** One chunk of a text: `text` is `whole.slice(start, end)`. */
export interface Part {
  /** From 0. */
  part: number;
  /** In UTF-16 code units, as JavaScript counts. */
  start: number;
  end: number;
  text: string;
}

type Sizes = Pick<Splitter, 'chunkSize' | 'chunkOverlap'>;

export interface Range {
  start: number;
  end: number;
}

/**
 * Splits a text into parts of at most `chunkSize` characters: at paragraphs if it can, else at lines, words, characters
 * (never within a surrogate pair). Neighbours share up to `chunkOverlap`. Parts have no white space around them, and
 * none is empty or within another: a blank text has no parts. Only white space lies outside all parts. Throws `TooLarge`
 * as soon as there are more than `mostParts`, without cutting them out.
 */
export async function splitText(text: string, splitter: Sizes, mostParts = Number.POSITIVE_INFINITY): Promise<Part[]> {
  const ranges = await rangesOf(text, splitter, mostParts);
  return ranges.map(({ start, end }, part) => ({ part, start, end, text: text.slice(start, end) }));
}

/** The places of the parts that `splitText` gives. */
export async function rangesOf(text: string, splitter: Sizes, mostParts: number): Promise<Range[]> {
  // Most texts are short: no splitter, no promise per word.
  const ranges =
    text.length <= splitter.chunkSize ? [{ start: 0, end: text.length }] : await cut(text, splitter, mostParts);
  return withoutContained(ranges.map((range) => trimmed(text, range)).filter(({ start, end }) => end > start));
}

/**
 * Without its white space, a part that was mostly overlap can lie within its neighbour, or be the same: one vector more
 * to pay for, and the same hit twice. Of ranges whose starts and ends never go back.
 */
function withoutContained(ranges: Range[]): Range[] {
  const kept: Range[] = [];
  for (const range of ranges) {
    const last = kept.at(-1);
    if (last !== undefined && range.end <= last.end) continue;
    if (last !== undefined && range.start === last.start) kept.pop();
    kept.push(range);
  }
  return kept;
}

async function cut(text: string, splitter: Sizes, mostParts: number): Promise<Range[]> {
  const ranges = new RangeSplitter({ chunkSize: splitter.chunkSize, chunkOverlap: splitter.chunkOverlap });
  let filled = 0;
  ranges.onRange = (range) => {
    const { start, end } = trimmed(text, range);
    if (end > start && ++filled > mostParts) {
      const size = `${splitter.chunkSize} characters, ${splitter.chunkOverlap} of them shared`;
      throw new ReembedError('TooLarge', `the text has more than ${mostParts} parts of ${size}`);
    }
  };
  await ranges.splitText(text);
  if (ranges.seen !== text.length) {
    throw new ReembedError('Internal', `the splitter saw ${ranges.seen} of ${text.length} characters`);
  }
  return ranges.ranges;
}

function trimmed(text: string, { start, end }: Range): Range {
  const chunk = text.slice(start, end);
  return { start: start + chunk.length - chunk.trimStart().length, end: start + chunk.trimEnd().length };
}

/**
 * LangChain's splitter gives chunks without saying where they were, and searching for them fails in repetitive text.
 * But every piece of the text goes once, from left to right, through `mergeSplits`: this one does the same merging on
 * positions. For one text only.
 */
class RangeSplitter extends RecursiveCharacterTextSplitter {
  readonly ranges: Range[] = [];
  /** Sees each range before it is kept. */
  onRange: (range: Range) => void = () => {};
  /** Characters of the text that went through so far. */
  seen = 0;

  /** LangChain's last resort is UTF-16 code units, which tears characters beyond U+FFFF apart. */
  protected override splitOnSeparator(text: string, separator: string): string[] {
    return separator === '' ? Array.from(text) : super.splitOnSeparator(text, separator);
  }

  override async mergeSplits(pieces: string[]): Promise<string[]> {
    let first = 0;
    let start = this.seen;
    for (const [at, piece] of pieces.entries()) {
      if (this.seen - start + piece.length > this.chunkSize && at > first) {
        this.add({ start, end: this.seen });
        while (this.seen - start > this.chunkOverlap || this.seen - start + piece.length > this.chunkSize) {
          if (first === at) break;
          start += pieces[first]?.length ?? 0;
          first += 1;
        }
      }
      this.seen += piece.length;
    }
    this.add({ start, end: this.seen });
    return [];
  }

  private add(range: Range): void {
    this.onRange(range);
    this.ranges.push(range);
  }
}
