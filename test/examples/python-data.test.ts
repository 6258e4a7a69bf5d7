import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { cli } from '../cli/support.ts';
import { type System, startSystem } from '../support/system.ts';
import { runProgram } from './support.ts';

// It installs packages of Python.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 600_000 });

let system: System;
let isInstalled = false;
const folder = mkdtempSync(path.join(tmpdir(), 'reembed-python-'));
const venv = path.join(folder, 'venv');
beforeAll(async () => {
  system = await startSystem();
  isInstalled = await install('pyarrow>=18', 'langchain-postgres>=0.0.14', 'psycopg[binary]>=3.2');
  if (!isInstalled) console.warn('NO PYTHON, OR NO PYARROW AND LANGCHAIN-POSTGRES: these tests are SKIPPED');
});
afterAll(async () => {
  await system?.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(({ skip }) => skip(!isInstalled));

async function install(...packages: string[]): Promise<boolean> {
  const made = await runProgram('python3', ['-m', 'venv', venv], {}).catch(() => ({ code: 1 }));
  if (made.code !== 0) return false;
  return (await runProgram(path.join(venv, 'bin/pip'), ['install', '-q', ...packages], {})).code === 0;
}

async function python(script: string, args: string[]) {
  const env = { REEMBED_URL: system.url, DATABASE_URL: system.database.url };
  const run = await runProgram(path.join(venv, 'bin/python'), [`test/examples/fixtures/${script}`, ...args], env);
  expect(run.code, run.error).toBe(0);
  return JSON.parse(run.out);
}

const reembed = (line: string) =>
  cli(line.split(' '), { env: { REEMBED_URL: system.url, DATABASE_URL: system.database.url } });

const MODEL = { model: { provider: 'words' }, readyVectors: true } as const;

const DOCUMENTS = [
  ['lion', 'A lion sleeps in the shade of a tree', 'en'],
  ['whale', 'A whale sings in the cold sea at night', 'en'],
  ['ship', 'The ship leaves the port in the morning', 'en'],
  ['bread', 'Fresh bread comes out of the oven', 'de'],
  ['train', 'The night train from Berlin is late', 'de'],
  ['king', 'The king and the queen live in a castle', 'de'],
].map(([id = '', text = '', lang = ''], at) => ({ id, text, metadata: { lang, at } }));

it('a table of LangChain that is imported finds the same documents with the same scores', async () => {
  await system.reembed.indexes.create('lc-table', MODEL);
  const queries = ['big cats rest', 'a journey by sea', 'royal family'].flatMap((text) => [
    [text, null],
    [text, { lang: 'de' }],
  ]) as [string, { lang: string } | null][];
  const found = await python('langchain_table.py', ['lc-table', JSON.stringify(DOCUMENTS), JSON.stringify(queries)]);
  const imported = await reembed('import --table langchain_pg_embedding --index lc-table --wait');
  expect(imported).toMatchObject({ code: 0, err: expect.stringContaining('verified: 6 texts embedded again') });
  for (const [at, [text, filter]] of queries.entries()) {
    const { hits } = await system.reembed.search('lc-table', { text, limit: 5, ...(filter && { filter }) });
    expect(hits.map(({ id }) => id)).toEqual(found[at].map(([id]: [string]) => id));
    for (const [place, { score }] of hits.entries()) expect(score).toBeCloseTo(found[at][place][1], 5);
  }
});

it('pyarrow reads an export, and an import takes what pyarrow has written again', async () => {
  for (const index of ['arrow', 'arrow-again']) await system.reembed.indexes.create(index, MODEL);
  const items = DOCUMENTS.map(({ id, text, metadata }) => ({ id, payload: { title: text }, metadata }));
  await system.reembed.tasks.upsert({ index: 'arrow', items }, { wait: true });
  const [file, again] = [path.join(folder, 'arrow.parquet'), path.join(folder, 'again.parquet')];
  await reembed(`export arrow ${file}`);
  const read = await python('read_parquet.py', [file, again]);
  expect(read).toEqual(await contentOf('arrow'));
  expect(await reembed(`import ${again} --index arrow-again --wait`)).toMatchObject({ code: 0 });
  const withoutVersions = (objects: { version: number }[]) => objects.map(({ version: _version, ...rest }) => rest);
  expect(withoutVersions(await contentOf('arrow-again'))).toEqual(withoutVersions(read));
});

/** Vectors as the doubles that they are in single precision. Columns of Parquet do not repeat the index. */
async function contentOf(index: string) {
  const found = [];
  for await (const { indexCreateTime: _, ...object } of system.reembed.objects.export(index)) {
    const parts = object.parts.map((part) => ({ ...part, vector: (part.vector as number[]).map(Math.fround) }));
    found.push({ ...object, parts });
  }
  return found;
}
