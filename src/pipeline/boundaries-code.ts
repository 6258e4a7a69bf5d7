import { type Block, LEVEL, linesOf, type Mark, type Marks } from './boundaries.ts';

const TAB = 4;
/** A line that ends what began before it. */
const CLOSES = /^\s*(?:[)\]}>]|end\b|fi\b|done\b|esac\b|else\b|elif\b|except\b|catch\b|finally\b)/;

/**
 * Cuts source code of any language by its blank lines and its indentation: best before a definition that begins at the
 * margin after a blank line. What is indented below such a line is kept with it if it fits.
 */
export function codeMarks(text: string): Marks {
  const marks: Mark[] = [];
  const blocks: Block[] = [];
  let top: number | undefined;
  let isBlank = false;
  let last = 0;
  for (const { start, text: line } of linesOf(text)) {
    if (line === '') {
      isBlank = true;
      continue;
    }
    const isMargin = indentOf(line) === 0 && !CLOSES.test(line);
    if (start > 0) marks.push({ at: start, level: levelOf(line, isBlank, isMargin) });
    if (isMargin && (isBlank || top === undefined)) {
      if (top !== undefined) blocks.push({ start: top, end: last });
      top = start;
    }
    last = start + line.length;
    isBlank = false;
  }
  if (top !== undefined) blocks.push({ start: top, end: last });
  return { marks, blocks };
}

function levelOf(line: string, isBlank: boolean, isMargin: boolean): number {
  if (CLOSES.test(line)) return isBlank ? LEVEL.line : LEVEL.word;
  if (isMargin) return isBlank ? LEVEL.chapter : LEVEL.item;
  if (isBlank) return indentOf(line) <= TAB ? LEVEL.section : LEVEL.paragraph;
  return indentOf(line) <= TAB ? LEVEL.sentence : LEVEL.line;
}

function indentOf(line: string): number {
  let columns = 0;
  for (const character of line) {
    if (character === '\t') columns += TAB;
    else if (character === ' ') columns += 1;
    else break;
  }
  return columns;
}
