import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

interface Manifest {
  engines: { node: string };
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
  overrides?: Record<string, unknown>;
}

const manifest: Manifest = JSON.parse(read('package.json'));
const docs: Partial<Manifest> = JSON.parse(read('docs/package.json'));
const installed = { ...manifest.dependencies, ...manifest.optionalDependencies };

/** Development packages that no file imports. */
const TOOLS = ['@biomejs/biome', 'knip', 'typescript'];
/** Packages that another one asks for as a peer. */
const PEERS: Record<string, string> = { recharts: '@mantine/charts' };

/** Returns the text of all sources of a folder. */
function sourcesOf(folder: string): { file: string; text: string }[] {
  return readdirSync(new URL(`../../${folder}`, import.meta.url), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(tsx?|mjs)$/.test(file))
    .map((file) => ({ file: `${folder}/${file}`, text: read(`${folder}/${file}`) }));
}

const isImported = (name: string, sources: { text: string }[]) =>
  sources.some(({ text }) => text.includes(`'${name}'`) || text.includes(`'${name}/`));

describe('the packages that are installed with reembed', () => {
  test('are all imported by what is published', () => {
    const published = sourcesOf('src').filter(({ file }) => !file.startsWith('src/dashboard/'));
    expect(published.length).toBeGreaterThan(300);
    expect(Object.keys(installed).filter((name) => !isImported(name, published))).toEqual([]);
  });

  test('are named once', () => {
    const { dependencies, devDependencies, optionalDependencies } = manifest;
    const names = [dependencies, devDependencies, optionalDependencies].flatMap(Object.keys);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });
});

test('the packages for development are all imported, or tools, types or peers of one that is', () => {
  const all = ['src', 'test', 'bench', 'scripts'].flatMap(sourcesOf);
  const unused = Object.keys(manifest.devDependencies).filter((name) => {
    if (TOOLS.includes(name) || name.startsWith('@types/')) return false;
    const peerOf = PEERS[name];
    return peerOf ? !(peerOf in manifest.devDependencies) : !isImported(name, all);
  });
  expect(unused).toEqual([]);
});

test.each(['package-lock.json', 'docs/package-lock.json'])('%s has the hash of every package', (file) => {
  const { packages }: { packages: Record<string, { integrity?: string }> } = JSON.parse(read(file));
  const names = Object.keys(packages).filter((name) => name !== '');
  expect(names.length).toBeGreaterThan(100);
  expect(names.filter((name) => !packages[name]?.integrity?.startsWith('sha512-'))).toEqual([]);
});

test('the reason for every exact version and every override is in CONTRIBUTING.md', () => {
  const [, section = ''] = read('CONTRIBUTING.md').split('### Pinned, and why\n');
  const [table = ''] = section.split('\n## ');
  const exact = Object.entries({ ...installed, ...manifest.devDependencies, ...docs.devDependencies })
    .filter(([, version]) => /^\d/.test(version))
    .map(([name]) => name);
  expect(exact).toContain('@electric-sql/pglite');
  const overrides = [manifest, docs]
    .flatMap((each) => Object.keys(each.overrides ?? {}))
    .map((name) => `overrides.${name}`);
  for (const name of [...exact, ...overrides]) expect(table).toContain(`| \`${name}`);
});

test('Node has the same versions in engines, types, .nvmrc and the image', () => {
  const [, oldest] = /^>=(\d+)\./.exec(manifest.engines.node) ?? [];
  const used = read('.nvmrc').trim();
  expect(manifest.devDependencies['@types/node']).toMatch(new RegExp(`^\\^${oldest}\\.`));
  expect(read('Dockerfile')).toContain(`node:${used}-`);
});
