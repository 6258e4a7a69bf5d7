import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { createProgram } from '../../src/cli/program.ts';
import { SEARCH_ATTRIBUTES } from '../../src/contract/names.ts';
import { type Block, blocksOf, PAGES, patternOf, placeOf, ROOT, textOf } from './blocks.ts';

const all = PAGES.flatMap(blocksOf);
const of = (...languages: string[]) => all.filter(({ language }) => languages.includes(language));

/** Languages whose blocks are all checked; `pages.test.ts` runs those of sh, ts and sql. */
const CHECKED = ['sh', 'ts', 'json', 'yaml', 'sql', 'mermaid'];
/** Reasons for which a block is not run. */
const REASONS = /^(needs|runs|changes|is) \S/;
const MAX_NOT_RUN = 1 / 3;

test('every block is run, checked or compared, or marked with a reason', () => {
  const left = all.filter(
    ({ language, noRun, isOutput }) => !isOutput && noRun === undefined && !CHECKED.includes(language),
  );
  expect(left.map(placeOf), 'mark these as `no-run reason="…"`, or as `output` of the block before').toEqual([]);
  const afterNothing = PAGES.flatMap((page) =>
    blocksOf(page).filter(
      ({ isOutput }, at, { [at - 1]: before }) => isOutput && !/^(sh|ts)$/.test(before?.language ?? ''),
    ),
  );
  expect(afterNothing.map(placeOf)).toEqual([]);
});

test('few commands and snippets are not run, each for a stated reason', () => {
  const programs = of('sh', 'ts', 'sql');
  const notRun = programs.filter(({ noRun }) => noRun !== undefined);
  console.log(notRun.map((block) => `not run: ${placeOf(block)}, ${block.noRun}`).join('\n'));
  expect(notRun.filter(({ noRun }) => !REASONS.test(noRun as string)).map(placeOf)).toEqual([]);
  expect(programs.length).toBeGreaterThan(30);
  expect(notRun.length / programs.length).toBeLessThan(MAX_NOT_RUN);
});

test('every block of commands is valid for a shell', () => {
  for (const block of of('sh')) {
    const read = () => execFileSync('bash', ['-n'], { input: block.code, stdio: ['pipe', 'pipe', 'pipe'] });
    expect(read, placeOf(block)).not.toThrow();
  }
});

test('commands named in the text exist, with their options', () => {
  const named = PAGES.flatMap((page) =>
    [...textOf(page).matchAll(/`reembed ([a-z][^`]*)`/g)].map(({ 1: line = '' }) => ({
      page,
      words: line.split(/\s+/),
    })),
  );
  expect(named.length).toBeGreaterThan(30);
  // The name of a kind of Postgres connections.
  const noCommands = ['background'];
  const nothing = () => {};
  const io = { env: {}, stdin: process.stdin, out: nothing, err: nothing, terminal: null, onInterrupt: () => nothing };
  for (const { page, words } of named.filter(({ words: [first = ''] }) => !noCommands.includes(first))) {
    let command = createProgram(io);
    for (const word of words) command = command.commands.find((child) => child.name() === word) ?? command;
    const line = `${page}: reembed ${words.join(' ')}`;
    expect(command.name(), line).not.toBe('reembed');
    const group = command.commands.length > 0 && /^[a-z]/.test(words[1] ?? '');
    expect(group, `${line}: there is no such command`).toBe(false);
    const flags = words.flatMap((word) => /^--[a-z-]+/.exec(word)?.[0] ?? []);
    const known = ['--help', ...command.options.map(({ long }) => long)];
    expect(known, line).toEqual(expect.arrayContaining(flags));
  }
});

test('JSON and YAML can be parsed', () => {
  for (const block of of('json')) expect(() => JSON.parse(block.code), placeOf(block)).not.toThrow();
  for (const block of of('yaml')) expect(() => parse(block.code), placeOf(block)).not.toThrow();
});

test('the snippets have the types of the package', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'reembed-types-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  const pages = PAGES.filter((page) => of('ts').some((block) => block.page === page));
  for (const page of pages) {
    const blocks = of('ts').filter((block) => block.page === page);
    writeFileSync(path.join(folder, `${path.basename(page)}.mts`), programOf(blocks));
  }
  writeFileSync(
    path.join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: path.join(ROOT, 'tsconfig.json'), include: ['*.mts'], exclude: [] }),
  );
  const compiler = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  let printed = '';
  try {
    execFileSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8', cwd: folder });
  } catch (error) {
    printed = (error as { stdout: string }).stdout;
  }
  expect(printed).toBe('');
  expect(pages.length).toBeGreaterThan(3);
});

/** At the lines of the page, so that errors of the compiler can be found there. */
function programOf(blocks: readonly Block[]): string {
  const lines: string[] = [];
  for (const { line, code } of blocks) {
    while (lines.length < line - 1) lines.push('');
    lines.push(...code.trimEnd().split('\n'));
  }
  return lines.join('\n');
}

test('the output in a page may omit only what differs from run to run', () => {
  const pattern = patternOf('task … is done\n…\nend\n');
  for (const good of ['task x is done\nend\n', 'task y z is done\n1\n2\nend\n']) expect(good).toMatch(pattern);
  for (const bad of [
    'task x is lost\nend\n',
    'task x is done\n',
    'task x is done\nend\nmore\n',
    'a task x is done\nend\n',
  ]) {
    expect(bad).not.toMatch(pattern);
  }
});

test('the command for search attributes names all of them', () => {
  const [block] = of('sh').filter(({ code }) => code.includes('operator search-attribute create'));
  const named = [...(block?.code ?? '').matchAll(/--name (\w+) --type (\w+)/g)].map(({ 1: name, 2: type }) => [
    name,
    type,
  ]);
  const types = { KEYWORD: 'Keyword', DATETIME: 'Datetime', KEYWORD_LIST: 'KeywordList', BOOL: 'Bool' };
  expect(Object.fromEntries(named)).toEqual(
    Object.fromEntries(Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, types[type]])),
  );
});
