import { writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { setAlias } from '../../src/store/aliases.ts';
import { fileOf, read, withBits } from '../parquet/support.ts';
import { content, createIndex, failure, partsOf, tombstone, uniqueName, writeIn } from '../store/builders.ts';
import { onBothDatabases } from '../support/databases.ts';
import { call, testApi } from './support.ts';

const linesOf = (body: string) =>
  body
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

const base64 = (vector: number[]) => Buffer.from(Float32Array.from(vector).buffer).toString('base64');

onBothDatabases((database, name) => {
  const get = async (path: string) => {
    const { status, body } = await call(testApi(database().db), 'GET', `/v1/indexes/${path}`);
    return { status, body };
  };

  it('has every live object with its parts and without averages, in the order of the ids', async () => {
    const { db } = database();
    const index = await createIndex(db, { average: true });
    await writeIn(db, index, [
      content('b', 3, { text: 'x'.repeat(20), parts: partsOf([0.1, 2], true), metadata: { n: 1 } }),
      content('a', 2, { text: 'one', uri: 'https://x.test/', originalId: 'b' }),
      content('c', 4, { parts: [{ part: 0, start: null, end: null, isAverage: false, embedding: [1, 2, 3] }] }),
      failure('d', 5),
      tombstone('e', 6),
    ]);
    const { status, body } = await get(`${index.name}/export`);
    expect(status).toBe(200);
    expect(linesOf(body)).toMatchObject([
      {
        ...{ id: 'a', version: 2, payload: 'one', uri: 'https://x.test/', originalId: 'b', failed: false },
        parts: [{ start: 0, end: 3, text: 'one', vector: [2, 1, 0.5] }],
      },
      {
        ...{ id: 'b', metadata: { n: 1 } },
        parts: [
          { start: 0, end: 10, text: 'x'.repeat(10), vector: [0.1, 1, 0.5] },
          { start: 10, end: 20, vector: [2, 1, 0.5] },
        ],
      },
      { id: 'c', parts: [{ start: null, end: null, text: null, vector: [1, 2, 3] }] },
      { id: 'd', failed: true, parts: [] },
    ]);
    const short = linesOf((await get(`${index.name}/export?vectors=base64&format=ndjson`)).body);
    expect(short[1].parts[0].vector).toBe(base64([0.1, 1, 0.5]));
  });

  it('continues after an id, over any number of pages, and ends for the last one', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const ids = Array.from({ length: 250 }, (_, at) => `o${String(at).padStart(3, '0')}`);
    await writeIn(
      db,
      index,
      ids.map((id, at) => content(id, at + 1)),
    );
    const idsOf = async (query: string) => {
      const same = query && `${query}&indexCreateTime=${index.createTime.toISOString()}`;
      return linesOf((await get(`${index.name}/export${same}`)).body).map(({ id }) => id);
    };
    expect(await idsOf('')).toEqual(ids);
    expect(await idsOf('?after=o120')).toEqual(ids.slice(121));
    expect(await idsOf('?after=o120x')).toEqual(ids.slice(121));
    expect(await idsOf('?after=o249')).toEqual([]);
  });

  it('continues by the name of an index only, since an alias may have moved', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const alias = uniqueName('alias');
    await setAlias(db, alias, index.name, { force: true });
    expect((await get(`${alias}/export`)).status).toBe(200);
    const after = `after=a&indexCreateTime=${index.createTime.toISOString()}`;
    expect(await get(`${alias}/export?${after}`)).toMatchObject({
      status: 400,
      body: { issues: [{ path: 'query.after', message: expect.stringContaining('needs the name of the index') }] },
    });
  });

  it.each([
    ['that does not say when its index was created', 'after=a', 'goes with after'],
    ['of another index of the same name', 'after=a&indexCreateTime=2020-01-01T00:00:00.000Z', 'begin the export again'],
    ['that has no object yet', 'indexCreateTime=2020-01-01T00:00:00.000Z', 'goes with after'],
  ])('does not continue an export %s', async (_which, query, message) => {
    const { name } = await createIndex(database().db);
    expect(await get(`${name}/export?${query}`)).toMatchObject({
      status: 400,
      body: { issues: [{ path: 'query.indexCreateTime', message: expect.stringContaining(message) }] },
    });
  });

  it('has the same objects as Parquet, with the bits of their vectors, over several row groups', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [
      content('a', 2, { text: 'one', uri: 'https://x.test/', originalId: 'b' }),
      content('b', 3, { text: 'x'.repeat(20), parts: partsOf([0.1, -0]), metadata: { n: 1e21, deep: [{ x: null }] } }),
      failure('d', 5),
      ...[6, 7, 8].map((version) => content(`large-${version}`, version, { text: 'x'.repeat(2_000_000) })),
    ]);
    const response = await testApi(db).request(`http://127.0.0.1/v1/indexes/${index.name}/export?format=parquet`);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/vnd.apache.parquet']);
    const file = fileOf(uniqueName('export'));
    await writeFile(file, Buffer.from(await response.arrayBuffer()));
    const lines = linesOf((await get(`${index.name}/export?vectors=base64`)).body);
    expect(await read(file)).toEqual(lines.map(withBits));
    expect(await get(`${index.name}/export?format=parquet&vectors=base64`)).toMatchObject({
      status: 400,
      body: { issues: [{ path: 'query.vectors', message: expect.stringContaining('only with format=ndjson') }] },
    });
  });

  it('has the vectors of an index that stores them in half precision, in each form', async () => {
    const { db } = database();
    const index = await createIndex(db, { storage: 'halfvec' });
    await writeIn(db, index, [content('a', 1, { parts: partsOf([0.5, -3]) }), content('b', 2)]);
    const lines = linesOf((await get(`${index.name}/export`)).body);
    expect(lines[0].parts.map(({ vector }: { vector: number[] }) => vector)).toEqual([
      [0.5, 1, 0.5],
      [-3, 1, 0.5],
    ]);
    expect(linesOf((await get(`${index.name}/export?vectors=base64`)).body)).toEqual(
      lines.map(({ parts, ...object }) => ({
        ...object,
        parts: parts.map(({ vector, ...part }: { vector: number[] }) => ({ ...part, vector: base64(vector) })),
      })),
    );
    const response = await testApi(db).request(`http://127.0.0.1/v1/indexes/${index.name}/export?format=parquet`);
    expect(response.status).toBe(200);
    const file = fileOf(uniqueName('export'));
    await writeFile(file, Buffer.from(await response.arrayBuffer()));
    expect(await read(file)).toEqual(lines.map(withBits));
  });

  if (name === 'postgres') {
    it('gives each object the vectors of its version, while it is written again and again', async () => {
      const { db } = database();
      const index = await createIndex(db);
      const ids = Array.from({ length: 150 }, (_, at) => `o${String(at).padStart(3, '0')}`);
      let [version, isOver] = [1, false];
      const write = () =>
        writeIn(
          db,
          index,
          ids.map((id) => content(id, version)),
        );
      await write();
      const writing = (async () => {
        while (!isOver) {
          version += 1;
          await write();
        }
      })();
      try {
        for (let run = 0; run < 5; run += 1) {
          const lines = linesOf((await get(`${index.name}/export`)).body);
          expect(lines.map(({ id }) => id)).toEqual(ids);
          expect(lines.filter((line) => line.parts.length !== 1 || line.parts[0].vector[0] !== line.version)).toEqual(
            [],
          );
        }
        expect(version).toBeGreaterThan(1);
      } finally {
        isOver = true;
        await writing;
      }
    });
  }
});
