import { access, appendFile, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openParquet } from '../../src/cli/export-parquet.ts';
import { uniqueName } from '../store/builders.ts';
import { openPgliteDatabase, openPostgresDatabase } from '../support/databases.ts';
import { items } from '../support/exported.ts';
import { type System, startSystem } from '../support/system.ts';
import { cli } from './support.ts';

async function* broken<T>(objects: AsyncIterable<T>): AsyncGenerator<T> {
  let count = 0;
  for await (const object of objects) {
    count += 1;
    if (count === 6) throw new Error('broke off');
    yield object;
  }
}

// Processes of other tests run beside it.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

describe.each([
  ['Postgres', openPostgresDatabase],
  ['PGlite', openPgliteDatabase],
] as const)('on %s', (_name, open) => {
  let system: System;
  let folder: string;
  beforeAll(async () => {
    system = await startSystem({ open });
    folder = await mkdtemp(join(tmpdir(), 'reembed-parquet-'));
  });
  afterAll(() => system?.stop());

  const reembed = (...args: string[]) => cli(args, { env: { REEMBED_URL: system.url } });
  const fileName = () => join(folder, `${uniqueName('file')}.parquet`);

  async function givenIndex(): Promise<string> {
    const name = uniqueName('index');
    await system.reembed.indexes.create(name, { model: { provider: 'hash', dimensions: 3 }, readyVectors: true });
    return name;
  }

  async function contentOf(index: string) {
    const found: object[] = [];
    const all = system.reembed.objects.export(index, { vectors: 'base64' });
    for await (const { version: _version, indexCreateTime: _time, ...object } of all) found.push(object);
    return found;
  }

  /** Objects that take several row groups: 6 of 1.5 MB each. */
  async function givenLarge(): Promise<string> {
    const index = await givenIndex();
    const given = Array.from({ length: 6 }, (_, at) => ({
      id: `o${at}`,
      payload: { title: `text ${at}`, rest: 'x'.repeat(1_500_000) },
      parts: [{ vector: [at + 1, 2, 3], start: 0, end: 4 }],
    }));
    const { id } = await system.reembed.tasks.upsertStream(index, given);
    await system.reembed.tasks.wait(id);
    return index;
  }

  test('a Parquet file of the command, or of the server, that is imported gives the same index', async () => {
    await fc.assert(
      fc.asyncProperty(items, fc.boolean(), async (given, byServer) => {
        const [source, dest, file] = [await givenIndex(), await givenIndex(), fileName()];
        await system.reembed.tasks.upsert({ index: source, items: given as never }, { wait: true });
        if (byServer) await writeFile(file, system.reembed.objects.exportParquet(source));
        else expect(await reembed('export', source, file)).toMatchObject({ code: 0, err: '' });
        const imported = await reembed('import', file, '--index', dest, '--no-verify', '--wait');
        expect(imported).toMatchObject({ code: 0 });
        expect(await contentOf(dest)).toEqual(await contentOf(source));
      }),
      { numRuns: 4 },
    );
  });

  test('an export that broke off is continued after its last row group, and gives the same file', async () => {
    const [index, whole, file] = [await givenLarge(), fileName(), fileName()];
    await reembed('export', index, whole);
    const expected = await readFile(whole);
    await expect(access(`${whole}.groups`)).rejects.toThrow();
    const { createTime } = await system.reembed.indexes.get(index);
    const target = await openParquet(file, { index, createTime, isContinued: false });
    await expect(target.write(broken(system.reembed.objects.export(index)))).rejects.toThrow('broke off');
    const notes = (await readFile(`${file}.groups`, 'utf8')).split('\n').filter((line) => line !== '');
    expect(notes.length).toBeGreaterThan(1);
    // Killed while it wrote the next row group.
    await appendFile(file, 'the beginning of a row group');
    await appendFile(`${file}.groups`, '{"group":');
    const { out } = await reembed('export', index, file, '--continue', '--json');
    expect(JSON.parse(out)).toMatchObject({ format: 'parquet', after: expect.any(String) });
    expect(JSON.parse(out).objects).toBeLessThan(6);
    expect((await readFile(file)).equals(expected)).toBe(true);
    expect((await reembed('export', index, file, '--continue')).out).toBe(`${file} is whole already\n`);
    const other = await givenIndex();
    await writeFile(`${file}.groups`, `${notes.join('\n')}\n`);
    expect(await reembed('export', other, file, '--continue')).toMatchObject({
      code: 2,
      err: expect.stringContaining(`it was begun with "${index}"`),
    });
    await writeFile(`${file}.groups`, `${notes.join('\n').replace(createTime, '2020-01-01T00:00:00.000Z')}\n`);
    expect(await reembed('export', index, file, '--continue')).toMatchObject({
      code: 2,
      err: expect.stringContaining('it was begun with an index created at 2020-01-01T00:00:00.000Z'),
    });
  });
});
