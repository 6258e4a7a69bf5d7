import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The pages that people read: the README and what is written below docs, without what is made when the site is built. */
export const PAGES = [
  'README.md',
  ...readdirSync(path.join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** A block of code in a page. */
export interface Block {
  page: string;
  /** Line in the page of its first line of code, from 1. */
  line: number;
  language: string;
  code: string;
  /** Why it cannot be run: ```sh no-run reason="…" */
  noRun?: string | undefined;
  /** Whether it is the output of the block before it: ```text output */
  isOutput: boolean;
}

export function placeOf({ page, line }: Block): string {
  return `${page}:${line}`;
}

export function textOf(page: string): string {
  return readFileSync(path.join(ROOT, page), 'utf8');
}

export function blocksOf(page: string): Block[] {
  const text = textOf(page);
  return [...text.matchAll(/^( *)```(.*)\n([\s\S]*?)^\1```$/gm)].map(
    ({ index, 1: indent, 2: info = '', 3: code = '' }) => {
      const [language = '', ...marks] = info.split(' ');
      return {
        page,
        line: text.slice(0, index).split('\n').length + 1,
        language,
        code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
        noRun: marks[0] === 'no-run' ? (/ reason="([^"]+)"$/.exec(info)?.[1] ?? '') : undefined,
        isOutput: marks.join(' ') === 'output',
      };
    },
  );
}

/** The blocks of a language that are run, each with its documented output, if any. */
export function runnable(page: string, language: string): { block: Block; prints: string | undefined }[] {
  const blocks = blocksOf(page);
  return blocks.flatMap((block, at) => {
    if (block.language !== language || block.noRun !== undefined) return [];
    const next = blocks[at + 1];
    return [{ block, prints: next?.isOutput ? next.code : undefined }];
  });
}

/**
 * What a page says is printed, as a pattern: `…` stands for whatever is there in a line, and alone in a line for any number
 * of lines.
 */
export function patternOf(prints: string): RegExp {
  const lines = prints
    .trimEnd()
    .split('\n')
    .map((line) => (line.trim() === '…' ? '(?:.*\n)*?' : `${line.split('…').map(escaped).join('.*')} *\n`));
  return new RegExp(`^${lines.join('')}$`);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
