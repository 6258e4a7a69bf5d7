import type { Pace } from '../cpu/pace.ts';
import { LEVEL, type Marks } from './boundaries.ts';

/** A piece of a text that is not cut again; the next one begins where it ends. */
export interface Atom {
  start: number;
  end: number;
  /** How good it is to cut before it. */
  level: number;
  tokens: number;
}

const SENTENCES = new Intl.Segmenter(undefined, { granularity: 'sentence' });
const WORDS = new Intl.Segmenter(undefined, { granularity: 'word' });
const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
/** The segmenters read a longer piece in several steps: in Node, each segment takes a time that grows with the piece. */
const SEGMENT_CHARS = 500;
/** Graphemes of a run without a word boundary that are counted together. */
const RUN_GRAPHEMES = 24;

/** Cuts text between its marks until a piece has at most `maxTokens`: at sentences, words, runs, graphemes, code points. */
export class Atomizer {
  readonly atoms: Atom[] = [];
  private readonly text: string;
  private readonly count: (text: string) => number;
  private readonly maxTokens: number;
  private readonly room: number;

  /** A grapheme is cut only if it has more than `room` tokens. */
  constructor(
    text: string,
    count: (text: string) => number,
    { maxTokens, room }: Record<'maxTokens' | 'room', number>,
  ) {
    this.text = text;
    this.count = count;
    this.maxTokens = maxTokens;
    this.room = room;
  }

  async read({ marks }: Pick<Marks, 'marks'>, pace: Pace): Promise<Atom[]> {
    let [start, level]: [number, number] = [0, LEVEL.chapter];
    for (const mark of [...marks, { at: this.text.length, level: 0 }]) {
      if (mark.at > start) this.add(start, mark.at, level, 0);
      [start, level] = [mark.at, mark.level];
      await pace.breathe();
    }
    return this.atoms;
  }

  /** Adds a range, as one atom if it is short enough, otherwise as atoms of the next finer kind. */
  private add(start: number, end: number, level: number, depth: number): void {
    const piece = this.text.slice(start, end);
    const finer = FINER[depth];
    // A long piece is too large for certain: it is not counted.
    const tokens = piece.length > this.maxTokens * 40 ? Number.POSITIVE_INFINITY : this.count(piece);
    const limit = finer === FINER.at(-1) ? this.room : this.maxTokens;
    if (tokens <= limit || finer === undefined) {
      this.atoms.push({ start, end, level, tokens });
      return;
    }
    let [from, isFirst] = [start, true];
    for (const length of finer.lengthsOf(piece)) {
      this.add(from, from + length, isFirst ? level : Math.min(level, finer.level), depth + 1);
      [from, isFirst] = [from + length, false];
    }
  }
}

interface Finer {
  level: number;
  lengthsOf(piece: string): Iterable<number>;
}

const FINER: readonly Finer[] = [
  { level: LEVEL.sentence, lengthsOf: (piece) => segmentsOf(piece, SENTENCES) },
  { level: LEVEL.word, lengthsOf: wordsOf },
  { level: LEVEL.grapheme, lengthsOf: (piece) => graphemesOf(piece, RUN_GRAPHEMES) },
  { level: LEVEL.grapheme, lengthsOf: (piece) => graphemesOf(piece, 1) },
  { level: LEVEL.grapheme, lengthsOf: (piece) => Array.from(piece, ({ length }) => length) },
];

function* segmentsOf(piece: string, segmenter: Intl.Segmenter): Generator<number> {
  for (let at = 0; at < piece.length; ) {
    const window = piece.slice(at, at + SEGMENT_CHARS);
    const isLast = at + window.length >= piece.length;
    let taken = 0;
    let length = 0;
    for (const { segment, index } of segmenter.segment(window)) {
      // The last segment of a window may go on behind it.
      if (length > 0) {
        yield length;
        taken = index;
      }
      length = segment.length;
    }
    if (isLast || taken === 0) {
      const end = isLast ? window.length : wholeEnd(piece, at + window.length) - at;
      if (end > taken) yield end - taken;
      taken = end;
    }
    at += taken;
  }
}

/** Returns the end, or one before it if it lies within a surrogate pair. */
function wholeEnd(piece: string, end: number): number {
  return /[\udc00-\udfff]/.test(piece[end] ?? '') ? end - 1 : end;
}

/** Words with the white space before them; punctuation stays with the word before it. */
function* wordsOf(piece: string): Generator<number> {
  let length = 0;
  let isOpen = true;
  let at = 0;
  for (const step of segmentsOf(piece, WORDS)) {
    const segment = piece.slice(at, at + step);
    const isSpace = segment.trim() === '';
    const begins = isSpace || (isOpen === false && /[\p{L}\p{N}]/u.test(segment));
    if (begins && length > 0 && !isOpen) {
      yield length;
      length = 0;
    }
    isOpen = isSpace;
    length += step;
    at += step;
  }
  if (length > 0) yield length;
}

function* graphemesOf(piece: string, together: number): Generator<number> {
  let [length, count] = [0, 0];
  for (const step of segmentsOf(piece, GRAPHEMES)) {
    length += step;
    count += 1;
    if (count < together) continue;
    yield length;
    [length, count] = [0, 0];
  }
  if (length > 0) yield length;
}
