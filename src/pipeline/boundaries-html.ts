import { afterLine, type Block, LEVEL, linesOf, type Mark, type Marks } from './boundaries.ts';

const LEVELS: Readonly<Record<string, number>> = Object.fromEntries([
  ...['body', 'main', 'article', 'section', 'h1', 'h2'].map((tag) => [tag, LEVEL.chapter]),
  ...['h3', 'h4', 'h5', 'h6', 'header', 'footer', 'nav', 'aside'].map((tag) => [tag, LEVEL.section]),
  ...['p', 'div', 'ul', 'ol', 'dl', 'table', 'pre', 'blockquote', 'figure', 'form', 'fieldset', 'details', 'hr'].map(
    (tag) => [tag, LEVEL.paragraph],
  ),
  ...['li', 'dt', 'dd', 'tr', 'thead', 'tbody', 'address', 'option', 'br'].map((tag) => [tag, LEVEL.item]),
]);
/** A tag with its attributes. The lengths are limited, so that a lone `<` does not search the whole text. */
const TAG = /<(\/?)([a-zA-Z][a-zA-Z0-9]{0,30})(?![a-zA-Z0-9])[^<>]{0,2000}>/g;
const WHOLE = new Set(['table', 'pre', 'ul', 'ol', 'dl', 'script', 'style']);

/** Cuts before and after block elements. Tables, lists and preformatted text are kept whole if they fit. */
export function htmlMarks(text: string): Marks {
  const marks = new Map<number, number>();
  const add = (at: number, level: number) => {
    if (at > 0 && at < text.length) marks.set(at, Math.max(level, marks.get(at) ?? 0));
  };
  const tags: Block[] = [];
  const blocks: Block[] = [];
  let open: { tag: string; start: number; depth: number } | undefined;
  for (const { 0: whole, 1: slash, 2: name = '', index } of text.matchAll(TAG)) {
    const [tag, end] = [name.toLowerCase(), index + whole.length];
    tags.push({ start: index, end });
    const level = Object.hasOwn(LEVELS, tag) ? (LEVELS[tag] as number) : undefined;
    // Text after a closed heading belongs to it.
    const isHeading = /^h[1-6]$/.test(tag);
    if (level !== undefined && !slash) add(index, level);
    if (level !== undefined && slash) add(end, isHeading ? LEVEL.poor : Math.min(level, LEVEL.paragraph));
    if (!WHOLE.has(tag)) continue;
    if (open === undefined && !slash) open = { tag, start: index, depth: 1 };
    else if (open?.tag === tag) open.depth += slash ? -1 : 1;
    if (open?.depth !== 0) continue;
    blocks.push({ start: open.start, end });
    open = undefined;
  }
  let before: string | undefined;
  for (const { start, text: line } of linesOf(text)) {
    if (before !== undefined && line.trim() !== '') add(start, Math.min(afterLine(before), LEVEL.sentence));
    before = line;
  }
  return { marks: withoutInner(marks, tags), blocks };
}

/** Lowers the places inside of tags. */
function withoutInner(found: ReadonlyMap<number, number>, tags: readonly Block[]): Mark[] {
  const marks = [...found].map(([at, level]) => ({ at, level })).sort((left, right) => left.at - right.at);
  let next = 0;
  for (const mark of marks) {
    while (next < tags.length && (tags[next] as Block).end <= mark.at) next += 1;
    const tag = tags[next];
    if (tag && tag.start < mark.at) mark.level = LEVEL.poor;
  }
  return marks;
}
