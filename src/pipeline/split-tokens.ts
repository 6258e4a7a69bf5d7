import { ReembedError } from '../contract/errors.ts';
import type { TextFormat } from '../contract/splitter.ts';
import { Pace } from '../cpu/pace.ts';
import { type Atom, Atomizer } from './atoms.ts';
import type { Block } from './boundaries.ts';
import { marksOf } from './marks-of.ts';
import type { Range } from './split.ts';

export interface TokenSizes {
  /** Maximum tokens of one part, as `countWhole` counts them. */
  chunkTokens: number;
  /** Maximum tokens that a part shares with the previous one. */
  overlapTokens: number;
  format: TextFormat;
}

/** Counts tokens. The whole text of a part may have more than the sum of its pieces, such as a prefix. */
export interface TokenCounter {
  count(text: string): number;
  countWhole(text: string): number;
}

/** An atom is at most this share of a part, so that a part that ends before the next atom is nearly full. */
const ATOM_SHARE = 8;
/** A part ends at the best place of its second half. */
const MIN_FILL = 0.5;
/** Times that a part is counted again after its end was moved. */
const MAX_ROUNDS = 4;

/**
 * Splits a text into ranges of at most `chunkTokens` tokens at the best places of its format. Blocks of the format that
 * fit into a part are not cut. Only white space lies outside all ranges. Error: `TooLarge` for more than `maxParts`.
 */
export async function rangesByTokens(
  text: string,
  sizes: TokenSizes,
  counter: TokenCounter,
  maxParts: number,
): Promise<Range[]> {
  const pace = new Pace();
  const room = Math.max(1, sizes.chunkTokens - counter.countWhole(''));
  const { marks, blocks } = marksOf(text, sizes.format);
  const count = (piece: string) => counter.count(piece);
  const maxTokens = Math.max(1, Math.floor(room / ATOM_SHARE));
  const atoms = await new Atomizer(text, count, { maxTokens, room }).read({ marks }, pace);
  const filler = new Filler(text, atoms, { sizes, counter, room, blocks });
  const ranges: Range[] = [];
  for (let [from, done] = [0, 0]; done < atoms.length; ) {
    const to = filler.endOf(from);
    if (to <= done) {
      // The shared tokens leave no room for anything new.
      from = done;
      continue;
    }
    ranges.push({ start: filler.startOf(from), end: filler.startOf(to) });
    if (ranges.length > maxParts) throw tooMany(maxParts, sizes);
    done = to;
    from = to < atoms.length ? filler.overlapFrom(from, to) : to;
    await pace.breathe();
  }
  return ranges;
}

function tooMany(maxParts: number, { chunkTokens, overlapTokens }: TokenSizes): ReembedError {
  const size = `${chunkTokens} tokens, ${overlapTokens} of them shared`;
  return new ReembedError('TooLarge', `the text has more than ${maxParts} parts of ${size}`);
}

interface Filling {
  sizes: TokenSizes;
  counter: TokenCounter;
  /** Tokens of a part without those that are added to each. */
  room: number;
  blocks: readonly Block[];
}

/** Finds the atoms of a part. An index of an atom stands for the place before it. */
class Filler {
  private readonly text: string;
  private readonly atoms: readonly Atom[];
  private readonly options: Filling;
  private nextBlock = 0;

  constructor(text: string, atoms: readonly Atom[], options: Filling) {
    this.text = text;
    this.atoms = atoms;
    this.options = options;
  }

  startOf(at: number): number {
    return this.atoms[at]?.start ?? this.text.length;
  }

  /** Returns the end of the part that begins at `from`: at least one atom behind it. */
  endOf(from: number): number {
    const last = this.lastEndOf(from);
    if (last >= this.atoms.length) return last;
    let to = this.endOfBlocks(from, this.bestEnd(from, last));
    // A shorter text may have more tokens, where the cut changes how its end is read.
    while (to - from > 1 && !this.fits(from, to)) to -= 1;
    return to;
  }

  /** Returns where the next part begins: at the best place among those with few enough tokens to share. */
  overlapFrom(from: number, to: number): number {
    const { sizes, counter } = this.options;
    let [best, tokens] = [to, 0];
    for (let at = to - 1; at > from; at--) {
      tokens += this.tokensOf(at);
      if (tokens > sizes.overlapTokens) break;
      if (best === to || this.levelOf(at) >= this.levelOf(best)) best = at;
    }
    while (best < to && counter.count(this.slice(best, to)) > sizes.overlapTokens) best += 1;
    return best;
  }

  /** Returns the last end with which the part still fits. The sum of its atoms is only the first guess. */
  private lastEndOf(from: number): number {
    const { sizes, counter, room } = this.options;
    let to = this.advance(from, room);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const left = sizes.chunkTokens - counter.countWhole(this.slice(from, to));
      if (left < 0) break;
      const further = this.advance(to, left, 0);
      if (further === to) return to;
      to = further;
    }
    while (to - from > 1 && !this.fits(from, to)) to -= 1;
    return to;
  }

  /** Adds atoms of at most `tokens` together, and at least `min` of them. */
  private advance(from: number, tokens: number, min = 1): number {
    let to = from;
    for (let sum = 0; to < this.atoms.length; to++) {
      sum += this.tokensOf(to);
      if (sum > tokens && to - from >= min) break;
    }
    return to;
  }

  private fits(from: number, to: number): boolean {
    const { sizes, counter } = this.options;
    return counter.countWhole(this.slice(from, to)) <= sizes.chunkTokens;
  }

  /** Returns the best place in the second half of a part, the last one of equal ones. */
  private bestEnd(from: number, last: number): number {
    let [best, total] = [last, 0];
    for (let at = from; at < last; at++) total += this.tokensOf(at);
    let rest = 0;
    for (let at = last - 1; at > from; at--) {
      rest += this.tokensOf(at);
      if (rest > total * (1 - MIN_FILL)) break;
      if (this.levelOf(at) > this.levelOf(best)) best = at;
    }
    return best;
  }

  /** Returns an end before a block that would be cut, if the block fits into the next part. */
  private endOfBlocks(from: number, to: number): number {
    const { blocks, room } = this.options;
    const [start, end] = [this.startOf(from), this.startOf(to)];
    while (this.nextBlock < blocks.length && (blocks[this.nextBlock] as Block).end <= start) this.nextBlock += 1;
    for (let at = this.nextBlock; at < blocks.length && (blocks[at] as Block).start < end; at++) {
      const block = blocks[at] as Block;
      if (block.start <= start || block.end <= end || !this.isShort(block, room)) continue;
      let before = to;
      while (before > from && this.startOf(before) > block.start) before -= 1;
      // The heading above a block goes with it.
      while (before - 1 > from && this.levelOf(before) <= 1) before -= 1;
      if (before > from && this.slice(from, before).trim() !== '') return before;
    }
    return to;
  }

  private isShort({ start, end }: Block, room: number): boolean {
    // No token of prose or code has 40 characters.
    if (end - start > room * 40) return false;
    return this.options.counter.count(this.text.slice(start, end)) <= room;
  }

  private tokensOf(at: number): number {
    return this.atoms[at]?.tokens ?? 0;
  }

  private levelOf(at: number): number {
    return this.atoms[at]?.level ?? 0;
  }

  private slice(from: number, to: number): string {
    return this.text.slice(this.startOf(from), this.startOf(to)).trim();
  }
}
