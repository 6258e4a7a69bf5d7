import { afterLine, type Block, LEVEL, linesOf, type Mark, type Marks } from './boundaries.ts';

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const HEADING = /^ {0,3}(#{1,6})(?:\s|$)/;
const ITEM = /^ {0,3}(?:[-*+]|\d{1,9}[.)])\s/;
const CONTINUED = /^(?: {2,}|\t)/;
const ROW = /^ {0,3}\|/;

type Kind = 'blank' | 'heading' | 'fence' | 'code' | 'item' | 'continued' | 'row' | 'prose';

/** Cuts before headings, paragraphs, items and rows. Code blocks, lists and tables are kept whole if they fit. */
export function markdownMarks(text: string): Marks {
  const marks: Mark[] = [];
  const blocks: Block[] = [];
  const kinds = new Kinds();
  let block: (Block & { kind: 'code' | 'list' | 'table' }) | undefined;
  let [beforeKind, beforeLine]: [Kind | undefined, string] = [undefined, ''];
  let content: Kind | undefined;
  const close = (end: number) => {
    if (block) blocks.push({ start: block.start, end });
    block = undefined;
  };
  for (const { start, text: line } of linesOf(text)) {
    const kind = kinds.next(line);
    const isSame = block !== undefined && belongs(kind, block.kind, kinds.isOpen);
    if (block && !isSame && kind !== 'blank') close(start);
    if (!block) {
      const opens = kind === 'fence' ? 'code' : kind === 'item' ? 'list' : kind === 'row' ? 'table' : undefined;
      if (opens) block = { start, end: start, kind: opens };
    }
    if (kind !== 'blank' && beforeKind !== undefined) {
      marks.push({ at: start, level: levelOf(kind, line, { beforeKind, beforeLine, content }) });
    }
    const isClosed = kind === 'fence' && !kinds.isOpen && block?.kind === 'code';
    if (isClosed) close(start + line.length);
    if (kind !== 'blank') content = kind;
    [beforeKind, beforeLine] = [kind, line];
  }
  close(text.length);
  return { marks, blocks };
}

/** Tells lines apart; a fence lasts until one of the same characters. */
class Kinds {
  private fence: string | undefined;
  private inList = false;

  get isOpen(): boolean {
    return this.fence !== undefined;
  }

  next(line: string): Kind {
    const [, fence] = FENCE.exec(line) ?? [];
    if (this.fence !== undefined) {
      const closes = fence?.startsWith(this.fence) && line.trim() === fence;
      if (closes) this.fence = undefined;
      return closes ? 'fence' : 'code';
    }
    if (fence !== undefined) {
      this.fence = fence;
      return 'fence';
    }
    if (line.trim() === '') return 'blank';
    if (this.inList && CONTINUED.test(line)) return 'continued';
    this.inList = ITEM.test(line);
    if (this.inList) return 'item';
    if (HEADING.test(line)) return 'heading';
    return ROW.test(line) ? 'row' : 'prose';
  }
}

function belongs(kind: Kind, block: 'code' | 'list' | 'table', isOpen: boolean): boolean {
  if (block === 'code') return isOpen || kind === 'fence' || kind === 'code';
  return block === 'list' ? kind === 'item' || kind === 'continued' : kind === 'row';
}

interface Before {
  beforeKind: Kind;
  beforeLine: string;
  /** Kind of the last line that is not blank. */
  content: Kind | undefined;
}

function levelOf(kind: Kind, line: string, { beforeKind, beforeLine, content }: Before): number {
  if (content === 'heading' && kind !== 'heading') return LEVEL.poor;
  if (kind === 'heading') {
    const depth = HEADING.exec(line)?.[1]?.length ?? 6;
    // A heading right below another one belongs to it.
    if (content === 'heading') return LEVEL.poor;
    return depth <= 2 ? LEVEL.chapter : LEVEL.section;
  }
  if (kind === 'code' || (kind === 'fence' && beforeKind === 'code')) return LEVEL.line;
  if (kind === 'item' || kind === 'row')
    return beforeKind === 'blank' && content !== kind ? LEVEL.paragraph : LEVEL.item;
  return kind === 'fence' ? LEVEL.paragraph : afterLine(beforeLine);
}
