import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { SDK_VERSION } from '../src/temporal/sdk-internals.ts';

const SRC = path.resolve(import.meta.dirname, '../src');
const PAGE = path.resolve(import.meta.dirname, '../docs/architecture.md');

interface Import {
  from: string;
  to: string;
  isType: boolean;
}

const folderOf = (file: string) => file.split('/')[0] as string;

function sourceFiles(): string[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));
}

/** Returns the imports between the files of src, with paths from there. */
function readImports(): Import[] {
  return sourceFiles().flatMap((from) => {
    const text = readFileSync(path.join(SRC, from), 'utf8');
    const found = text.matchAll(/^(?:import|export)\s+(type\s)?([^;'"]*?)\s*from\s+'(\.[^']+)';/gms);
    return [...found].map(([, type, names = '', target = '']) => {
      const list =
        /^\{(.*)\}$/s
          .exec(names)?.[1]
          ?.split(',')
          .map((name) => name.trim()) ?? [];
      const isType =
        type !== undefined || (list.length > 0 && list.every((name) => name === '' || /^type\s/.test(name)));
      return { from, to: path.posix.join(path.posix.dirname(from), target), isType };
    });
  });
}

/** Reads what each folder may import from the table of the page: folders or single files, some of them as types only. */
function readAllowed(): Map<string, { name: string; typesOnly: boolean }[]> {
  const [, table = ''] = readFileSync(PAGE, 'utf8').split('| folder | imports |\n');
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  const end = table.indexOf('\n\n');
  return new Map(
    rows
      .filter((row) => table.indexOf(row) < end)
      .flatMap((row) => {
        const [, folders = '', imports = ''] = row.split('|');
        const allowed = imports.split(/[;,]/).flatMap((part) => {
          return namesIn(part).map((name) => ({ name, typesOnly: part.includes('types of') }));
        });
        return namesIn(folders).map((folder) => [folder, allowed] as const);
      }),
  );
}

const namesIn = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string);

const imports = readImports();

test('a folder of src imports only what docs/architecture.md allows it', () => {
  const allowed = readAllowed();
  const wrong = imports.filter(({ from, to, isType }) => {
    const [source, target] = [folderOf(from), folderOf(to)];
    if (source === target || from === 'version.ts' || to === 'version.ts') return false;
    if (target === 'contract') return source === 'cpu';
    const rules = allowed.get(source)?.filter(({ name }) => name === target || name === to) ?? [];
    return !rules.some(({ typesOnly }) => isType || !typesOnly);
  });
  expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
});

test('no file of src imports itself through others, types included', () => {
  const targets = new Map<string, string[]>();
  for (const { from, to } of imports) targets.set(from, [...(targets.get(from) ?? []), to]);
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) cycles.push([...trail.slice(trail.indexOf(file)), file].join(' → '));
    if (trail.includes(file) || done.has(file)) return;
    for (const target of targets.get(file) ?? []) visit(target, [...trail, file]);
    done.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  expect(imports.length).toBeGreaterThan(1_000);
  expect(cycles).toEqual([]);
});

test("only src/temporal/sdk-internals.ts imports inner files of Temporal's SDK, of the version that it states", () => {
  expect(filesWith(/from '@temporalio\/[^']*\/lib\//)).toEqual(['temporal/sdk-internals.ts']);
  for (const name of ['client', 'common']) {
    const file = path.resolve(SRC, `../node_modules/@temporalio/${name}/package.json`);
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
    expect([name, version]).toEqual([name, expect.stringMatching(`^${SDK_VERSION}[.]`)]);
  }
});

test('only src/temporal/connect.ts creates clients of Temporal', () => {
  expect(filesWith(/^[^*]*new (Client|WorkflowClient)\(/m)).toEqual(['temporal/connect.ts']);
});

function filesWith(pattern: RegExp): string[] {
  return sourceFiles().filter((file) => pattern.test(readFileSync(path.join(SRC, file), 'utf8')));
}
