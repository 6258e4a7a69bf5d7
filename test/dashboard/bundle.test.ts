import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Rollup } from 'vite';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const SOURCE = fileURLToPath(new URL('../../src/dashboard', import.meta.url));
const STYLES = path.dirname(createRequire(import.meta.url).resolve('@mantine/core/styles/Button.css'));
/** Compressed, of scripts and styles. */
const MAX_BEFORE_FIRST_PAINT = 200_000;

let folder: string;
let output: Rollup.OutputChunk[];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'reembed-bundle-'));
  const options = { outDir: folder, emptyOutDir: true };
  // As users get it: the test run's own value would include the development build of React.
  vi.stubEnv('NODE_ENV', 'production');
  const built = (await build({ root: SOURCE, logLevel: 'silent', build: options })) as Rollup.RollupOutput;
  vi.unstubAllEnvs();
  output = built.output.filter((file) => file.type === 'chunk');
});
afterAll(() => rm(folder, { recursive: true }));

it('the page needs less than 200 kB of scripts and styles before its first paint', async () => {
  const page = await readFile(path.join(folder, 'index.html'), 'utf8');
  const files = [...page.matchAll(/(?:src|href)="\/(assets\/[^"]+\.(?:js|css))"/g)].map(([, file = '']) => file);
  expect(files.some((file) => file.endsWith('.js')) && files.some((file) => file.endsWith('.css'))).toBe(true);
  const sizes = files.map((file) => gzipSync(readFileSync(path.join(folder, file)), { level: 9 }).length);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MAX_BEFORE_FIRST_PAINT);
});

it('the font is loaded from the same server, and holds up no paint', async () => {
  const page = await readFile(path.join(folder, 'index.html'), 'utf8');
  expect(page).not.toContain('woff2');
  const files = await readdir(path.join(folder, 'assets'));
  const styles = files.filter((file) => file.endsWith('.css')).map((file) => path.join(folder, 'assets', file));
  const faces = styles.flatMap((file) => readFileSync(file, 'utf8').match(/@font-face\{[^}]+\}/g) ?? []);
  expect(faces.length).toBeGreaterThan(0);
  for (const face of faces) {
    expect(face).toContain('font-display:swap');
    const [, font = ''] = /url\([^)]*?\/?([\w.-]+\.woff2)\)/.exec(face) ?? [];
    expect(files).toContain(font);
  }
});

it('no page, and no schema, is among the scripts that come before the first paint', () => {
  const byName = new Map(output.map((chunk) => [chunk.fileName, chunk]));
  const first = new Set<string>();
  const add = (name: string) => {
    if (first.has(name)) return;
    first.add(name);
    byName.get(name)?.imports.forEach(add);
  };
  for (const { isEntry, fileName } of output) if (isEntry) add(fileName);
  const modules = [...first].flatMap((name) => byName.get(name)?.moduleIds ?? []);
  expect(modules.filter((id) => /-page\.tsx$|node_modules\/zod\//.test(id))).toEqual([]);
});

it('the styles of every component that is used are included', async () => {
  const used = output
    .flatMap(({ moduleIds }) => moduleIds)
    .flatMap((id) => /\/(\w+)\.module\.mjs$/.exec(id)?.[1] ?? []);
  const available = new Set(await readdir(STYLES));
  const needed = [...new Set(used)].filter((name) => available.has(`${name}.css`)).sort();
  const imported = await readFile(path.join(SOURCE, 'mantine.css'), 'utf8');
  expect(needed).not.toEqual([]);
  expect(needed.filter((name) => !imported.includes(`/${name}.css"`))).toEqual([]);
});
