import { mkdtemp, readFile, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { uniqueName } from '../store/builders.ts';
import { items } from '../support/exported.ts';
import { type System, startSystem } from '../support/system.ts';
import { cli } from './support.ts';

let system: System;
let folder: string;
beforeAll(async () => {
  system = await startSystem();
  folder = await mkdtemp(join(tmpdir(), 'reembed-export-'));
});
afterAll(() => system?.stop());

const reembed = (...args: string[]) => cli(args, { env: { REEMBED_URL: system.url } });
const fileName = () => join(folder, uniqueName('file'));

async function givenIndex(config: object = {}): Promise<string> {
  const name = uniqueName('index');
  const usual = { model: { provider: 'hash', dimensions: 3 } as const, readyVectors: true };
  await system.reembed.indexes.create(name, { ...usual, ...config });
  return name;
}

/** What is exported, without the versions, which an index gives itself. */
async function contentOf(index: string) {
  const found: object[] = [];
  const all = system.reembed.objects.export(index);
  for await (const { version: _version, indexCreateTime: _time, ...object } of all) found.push(object);
  return found;
}

test('a file that is exported and imported gives the same index, for any objects', async () => {
  await fc.assert(
    fc.asyncProperty(items, fc.constantFrom('numbers', 'base64'), async (given, form) => {
      const [source, dest, file] = [await givenIndex(), await givenIndex(), fileName()];
      await system.reembed.tasks.upsert({ index: source, items: given as never }, { wait: true });
      expect(await reembed('export', source, file, '--vectors', form)).toMatchObject({ code: 0, err: '' });
      expect(await reembed('import', file, '--index', dest, '--no-verify', '--wait')).toMatchObject({ code: 0 });
      expect(await contentOf(dest)).toEqual(await contentOf(source));
    }),
    { numRuns: 5 },
  );
});

test('an export that broke off is continued after its last whole line', async () => {
  const [index, file, whole] = [await givenIndex(), fileName(), fileName()];
  const given = Array.from({ length: 30 }, (_, at) => ({ id: `o${at}`, payload: `text ${at}` }));
  await system.reembed.tasks.upsert({ index, items: given }, { wait: true });
  await system.reembed.aliases.set('exported', index);
  await reembed('export', 'exported', whole);
  const expected = await readFile(whole, 'utf8');
  await writeFile(file, expected);
  expect((await reembed('export', 'exported', file)).err).toContain('it is there already: --continue appends to it');
  await truncate(file, Math.floor(expected.length / 2));
  const { out } = await reembed('export', 'exported', file, '--continue', '--json');
  expect(JSON.parse(out).objects).toBeLessThan(30);
  expect(await readFile(file, 'utf8')).toBe(expected);
  const other = fileName();
  await writeFile(other, 'a diary\nwithout an export');
  expect((await reembed('export', index, other, '--continue')).err).toContain('does not end with an exported object');
  expect(await readFile(other, 'utf8')).toBe('a diary\nwithout an export');
});

test('an export is not continued with another index of the same name', async () => {
  const [index, file] = [await givenIndex(), fileName()];
  const given = Array.from({ length: 10 }, (_, at) => ({ id: `o${at}`, payload: `text ${at}` }));
  await system.reembed.tasks.upsert({ index, items: given }, { wait: true });
  await reembed('export', index, file);
  const expected = await readFile(file, 'utf8');
  await system.reembed.tasks.deleteIndex({ index }, { wait: true });
  await system.reembed.indexes.create(index, { model: { provider: 'hash', dimensions: 4 } });
  const { code, err } = await reembed('export', index, file, '--continue');
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('was begun with an index created at 20') });
  expect(await readFile(file, 'utf8')).toBe(expected);
});

const line = (id: string, numbers: unknown = [1, 2, 3]) =>
  JSON.stringify({
    ...{ id, version: 1, payload: 'one', metadata: {}, originalId: null, uri: null, failed: false },
    parts: [{ start: 0, end: 3, text: 'one', vector: numbers }],
  });

test.each<[string, string, string]>([
  ['a line that broke off', `${line('a')}\n${line('b').slice(0, -20)}`, 'line 2'],
  ['NaN', `${line('a')}\n${line('b').replace('[1,', '[NaN,')}`, 'line 2'],
  ['vectors of other dimensions', `${line('a')}\n${line('b', [1, 2])}`, 'line 2.parts.0.vector: must have 3 numbers'],
  ['a vector of zeros', line('a', [0, 0, 0]), 'line 1.parts.0.vector: must not be all zero'],
  ['an id twice', `${line('a')}\n${line('a')}`, 'line 2.id: the same id as line 1'],
  ['what was not exported', `${line('a')}\n{"id":"b","payload":"x"}`, 'object 2'],
  ['nothing', '', 'the body is empty'],
])('a file with %s is refused with its place, and nothing is written', async (_what, content, said) => {
  const [index, file] = [await givenIndex(), fileName()];
  await writeFile(file, content);
  const { code, err } = await reembed('import', file, '--index', index, '--no-verify', '--wait');
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(said) });
  expect(await contentOf(index)).toEqual([]);
});

test('an import embeds some texts again, and refuses vectors that are not of the model', async () => {
  const [source, dest, file] = [await givenIndex(), await givenIndex(), fileName()];
  const given = Array.from({ length: 40 }, (_, at) => ({ id: `o${at}`, payload: `words about ${at}` }));
  await system.reembed.tasks.upsert({ index: source, items: given }, { wait: true });
  await reembed('export', source, file);
  const imported = await reembed('import', file, '--index', dest, '--wait');
  expect(imported.err).toMatch(/verified: 20 texts embedded again, lowest cosine 1\.0000/);
  expect(await contentOf(dest)).toEqual(await contentOf(source));
  const [other, wrong] = [await givenIndex(), fileName()];
  await writeFile(wrong, line('a', [-1, 2, -3]));
  expect(await reembed('import', wrong, '--index', other)).toMatchObject({
    code: 2,
    err: expect.stringContaining('of 1 texts that hash-v1 embedded again, 1 have another vector'),
  });
  expect(await contentOf(other)).toEqual([]);
});

test('an import into an index that takes no vectors says how to make one', async () => {
  const [index, file] = [await givenIndex({ readyVectors: false }), fileName()];
  await writeFile(file, line('a'));
  expect((await reembed('import', file, '--index', index)).err).toContain('create it with --ready-vectors');
});
