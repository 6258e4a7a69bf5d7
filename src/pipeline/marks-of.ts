import type { TextFormat } from '../contract/splitter.ts';
import { afterLine, linesOf, type Mark, type Marks } from './boundaries.ts';
import { codeMarks } from './boundaries-code.ts';
import { htmlMarks } from './boundaries-html.ts';
import { markdownMarks } from './boundaries-markdown.ts';

/** Finds the places of a format at which a text is best cut: starts of its lines, or of its elements. */
export function marksOf(text: string, format: TextFormat): Marks {
  if (format === 'markdown') return markdownMarks(text);
  if (format === 'html') return htmlMarks(text);
  return format === 'code' ? codeMarks(text) : textMarks(text);
}

function textMarks(text: string): Marks {
  const marks: Mark[] = [];
  let before: string | undefined;
  for (const { start, text: line } of linesOf(text)) {
    if (before !== undefined && line.trim() !== '') marks.push({ at: start, level: afterLine(before) });
    before = line;
  }
  return { marks, blocks: [] };
}
