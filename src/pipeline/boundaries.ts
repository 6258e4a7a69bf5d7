/** How good a place is to cut at: the higher, the better. */
export const LEVEL = {
  grapheme: 0,
  /** Between words of a tag, or after a heading. */
  poor: 1,
  word: 2,
  line: 3,
  sentence: 4,
  /** Before an item of a list, a row of a table, or a line of code with less indentation. */
  item: 5,
  paragraph: 6,
  section: 7,
  chapter: 8,
} as const;

/** A place at which a text may be cut. */
export interface Mark {
  at: number;
  level: number;
}

/** What stays whole if it fits into a part. */
export interface Block {
  start: number;
  end: number;
}

/** Places and blocks in order. */
export interface Marks {
  marks: Mark[];
  blocks: Block[];
}

export interface Line {
  start: number;
  /** Without the line break. */
  text: string;
}

const SENTENCE_END = /[.!?。！？…۔।॥][)\]}"'”’»」』）]*\s*$/u;

/** Returns the lines of a text in order. */
export function* linesOf(text: string): Generator<Line> {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    const next = end < 0 ? text.length : end + 1;
    yield { start, text: text.slice(start, next).trimEnd() };
    start = next;
  }
}

/** Returns how good it is to cut after a line of prose. */
export function afterLine(line: string): number {
  if (line.trim() === '') return LEVEL.paragraph;
  return SENTENCE_END.test(line.slice(-20)) ? LEVEL.sentence : LEVEL.line;
}
