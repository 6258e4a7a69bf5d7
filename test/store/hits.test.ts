import { expect, it } from 'vitest';
import { withTexts } from '../../src/api/hit-texts.ts';
import { wantedFields } from '../../src/contract/hit-fields.ts';
import type { Hit, Payload } from '../../src/contract/objects.ts';
import { splitText } from '../../src/pipeline/split.ts';
import { textOf } from '../../src/pipeline/text-of.ts';
import type { Db } from '../../src/store/database.ts';
import { vectorOfObject } from '../../src/store/example.ts';
import { readHits } from '../../src/store/hits.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { searchObjects } from '../../src/store/search.ts';
import { buildVectorIndex } from '../../src/store/vector-index.ts';
import { onBothDatabases } from '../support/databases.ts';
import { content, createIndex, failure, partsOf, tombstone, vectorOf, writeIn } from './builders.ts';

const FOX = '\u{1F98A} the quick brown fox \u{1F43A} jumps, ';
const LONG = {
  ascii: 'lorem ipsum dolor sit amet, '.repeat(40),
  umlauts: 'Größe, Straße, 中文字 — '.repeat(40),
  astral: FOX.repeat(30),
};
const PAYLOADS: Record<string, Payload> = {
  ...LONG,
  object: { title: LONG.astral, body: [LONG.umlauts, { z: 'z', a: LONG.ascii }], year: 2024 },
  array: [LONG.umlauts, 7, LONG.astral],
};

onBothDatabases((database) => {
  /** An index with an object for each payload, split as the pipeline splits it. */
  async function given(fields?: string[]) {
    const { db } = database();
    const splitter = { chunkSize: 100, chunkOverlap: 20, ...(fields && { fields }) };
    const index = await createIndex(db, { dimensions: 3, splitter });
    const chunks = new Map<string, string[]>();
    const objects = await Promise.all(
      Object.entries(PAYLOADS).map(async ([id, payload]) => {
        const parts = await splitText(textOf(payload, index.splitter.fields), splitter);
        chunks.set(
          id,
          parts.map(({ text }) => text),
        );
        const vectors = parts.map(({ part, start, end }) => ({
          ...{ part, start, end, isAverage: false },
          embedding: vectorOf(part),
        }));
        return content(id, 1, { payload, metadata: { of: id, deep: { list: [1], k: 'v' } }, parts: vectors });
      }),
    );
    await writeIn(db, index, objects);
    return { db, index, chunks };
  }
  const read = (
    db: Db,
    index: IndexRow,
    neighbors: [id: string, part: number | null][],
    how: { fields?: string[]; bytes?: number } = {},
  ) =>
    db.transaction().execute(async (trx) => {
      const found = neighbors.map(([id, part]) => ({ id, part, distance: 0 }));
      const hits = await readHits(trx, index, found, { bytes: how.bytes, fields: wantedFields(how.fields) });
      return (await withTexts(hits, index)) as Hit[];
    });

  it.each([undefined, ['text'], ['text', 'payload.title'], ['text', 'metadata', 'payload']])(
    'the text of every part is the chunk that was embedded, with the fields %j',
    async (fields) => {
      const { db, index, chunks } = await given();
      const all = [...chunks].flatMap(([id, texts]) => texts.map((_, part): [string, number] => [id, part]));
      expect(all.length).toBeGreaterThan(80);
      const hits = await read(db, index, all, fields && { fields });
      expect(hits.map(({ text }) => text)).toEqual([...chunks.values()].flat());
      for (const { id, text, start, end } of hits) {
        expect(textOf(PAYLOADS[id] as Payload, undefined).slice(start as number, end as number)).toBe(text);
      }
    },
  );

  it('the text of a part comes from the fields that the splitter of the index reads', async () => {
    const { db, index, chunks } = await given(['body.a', 'title']);
    expect((await read(db, index, [['object', 0]], { fields: ['text'] }))[0]?.text).toBe(chunks.get('object')?.[0]);
  });

  it('the average of all parts has neither text nor range', async () => {
    const { db } = database();
    const index = await createIndex(db, { dimensions: 3 });
    await writeIn(db, index, [content('a', 1, { text: 'x'.repeat(40), parts: partsOf([1, 2], true) })]);
    expect(await read(db, index, [['a', null]])).toMatchObject([{ part: null, text: null, start: null, end: null }]);
  });

  it('a hit has only what is asked for, and a path leads through objects to values that exist', async () => {
    const { db, index } = await given();
    const one = async (fields: string[], id = 'object') => (await read(db, index, [[id, 0]], { fields }))[0];
    const always = { id: 'object', score: 1, part: 0, version: 1, start: 0, end: expect.any(Number) };
    expect(await one([])).toEqual(always);
    expect(await one(['payload.year', 'payload.none', 'metadata.deep.k', 'metadata.deep.list.0'])).toEqual({
      ...always,
      payload: { year: 2024 },
      metadata: { deep: { k: 'v' } },
    });
    expect(await one(['metadata.deep', 'metadata.deep.k'])).toMatchObject({
      metadata: { deep: { list: [1], k: 'v' } },
    });
    expect(await one(['payload.title'], 'ascii')).toMatchObject({ payload: {} });
    expect(await one(['payload'], 'array')).toMatchObject({ payload: PAYLOADS.array });
  });

  it('keys that are special in JavaScript or in paths of Postgres are plain names', async () => {
    const { db } = database();
    const index = await createIndex(db, { dimensions: 3 });
    const payload = JSON.parse(
      `{"__proto__": {"x": 1}, "a\\"b": 2, "$": {"*": 3}, "text": "t", "nil": null}`,
    ) as Payload;
    await writeIn(db, index, [content('a', 1, { payload })]);
    const fields = ['payload.__proto__.x', 'payload.a"b', 'payload.$.*', 'payload.nil', 'payload.constructor'];
    const [hit] = await read(db, index, [['a', 0]], { fields });
    expect(JSON.stringify(hit?.payload)).toBe('{"__proto__":{"x":1},"a\\"b":2,"$":{"*":3},"nil":null}');
  });

  it('fields that are not asked for are not read from the database', async () => {
    const { db, index } = await given();
    const seen: string[] = [];
    const listening = db.withPlugin({
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        seen.push(JSON.stringify(result.rows));
        return result;
      },
    });
    await read(
      listening,
      index,
      [
        ['astral', 2],
        ['ascii', 0],
        ['object', 0],
      ],
      { fields: ['payload.year'] },
    );
    expect(seen.join('')).toContain('2024');
    expect(seen.join('')).not.toMatch(/fox|lorem/);
    seen.length = 0;
    await read(listening, index, [['ascii', 0]], { fields: ['text'] });
    expect(seen.join('').length).toBeLessThan(LONG.ascii.length / 2);
  });

  it('texts beyond the byte limit of an answer are omitted, as the hit says', async () => {
    const { db, index, chunks } = await given();
    const hits = await read(
      db,
      index,
      [
        ['ascii', 0],
        ['ascii', 1],
        ['object', 0],
      ],
      { fields: ['text'], bytes: 120 },
    );
    expect(hits.map(({ text, omitted }) => [text, omitted])).toEqual([
      [chunks.get('ascii')?.[0], undefined],
      [null, ['text']],
      [null, ['text']],
    ]);
    expect((await read(db, index, [['object', 0]], { bytes: 500 }))[0]).toMatchObject({
      ...{ text: null, payload: null, omitted: ['payload', 'text'] },
    });
  });

  it.each(['cosine', 'l2', 'ip'] as const)(
    'no hit has less than the lowest score with the metric %s',
    async (metric) => {
      const { db } = database();
      const index = await createIndex(db, { dimensions: 3, metric });
      await writeIn(
        db,
        index,
        [1, 2, 3, 4, 5].map((value) => content(`o${value}`, 1, { parts: partsOf([value]) })),
      );
      for (const isBuilt of [false, true]) {
        if (isBuilt) await buildVectorIndex(db, index, { memoryMb: 32 });
        const search = (minScore?: number, limit = 5) =>
          searchObjects(db, index, { vector: vectorOf(5), limit, minScore });
        const { hits: all } = await search();
        const scores = all.map(({ score }) => score);
        expect(scores).toHaveLength(5);
        const some = await search(scores[2]);
        expect(some).toMatchObject({ complete: true, hits: all.slice(0, 3) });
        expect((await search(scores[4])).hits).toEqual(all);
        expect((await search(scores[2], 2)).hits).toEqual(all.slice(0, 2));
      }
    },
  );

  it('a scan that has passed the lowest score is not followed by a comparison of all parts', async () => {
    const { db } = database();
    const index = await createIndex(db, { dimensions: 3, metric: 'l2' });
    await writeIn(
      db,
      index,
      Array.from({ length: 30 }, (_, at) => content(`o${at}`, 1, { parts: partsOf([at]) })),
    );
    await buildVectorIndex(db, index, { memoryMb: 32 });
    const search = (minScore?: number) => searchObjects(db, index, { vector: vectorOf(0), limit: 100, minScore });
    expect(await search(-2)).toMatchObject({ exact: false, complete: true, hits: [{}, {}, {}] });
    expect(await search()).toMatchObject({ exact: true, complete: true });
  });

  it('a lowest score that no hit can have is refused, naming it', async () => {
    const { db } = database();
    for (const [metric, minScore] of [
      ['l2', 0.5],
      ['cosine', 1.1],
    ] as const) {
      const index = await createIndex(db, { dimensions: 3, metric });
      await expect(searchObjects(db, index, { vector: vectorOf(1), limit: 1, minScore })).rejects.toMatchObject({
        type: 'InvalidInput',
        issues: [{ path: 'minScore' }],
      });
    }
  });

  it('each part is a hit when hits are parts, in the same order with and without the HNSW index', async () => {
    const { db } = database();
    const index = await createIndex(db, { dimensions: 3, metric: 'l2' });
    await writeIn(db, index, [
      content('a', 1, { text: 'x'.repeat(30), parts: partsOf([1, 4, 7], true) }),
      content('b', 1, { text: 'x'.repeat(20), parts: partsOf([2, 4]) }),
    ]);
    for (const isBuilt of [false, true]) {
      if (isBuilt) await buildVectorIndex(db, index, { memoryMb: 32 });
      const search = (group: 'part' | 'object', limit: number) =>
        searchObjects(db, index, { vector: vectorOf(4), limit, group });
      const places = (await search('part', 5)).hits.map(({ id, part, score }) => [id, part, -score]);
      expect(places).toEqual([
        ['a', 1, 0],
        ['b', 1, 0],
        ['b', 0, 2],
        ['a', 0, 3],
        ['a', 2, 3],
      ]);
      expect((await search('part', 2)).hits.map(({ id }) => id)).toEqual(['a', 'b']);
      expect((await search('object', 5)).hits).toHaveLength(2);
    }
  });

  it('pages have every hit once, with and without the HNSW index', async () => {
    const { db } = database();
    const index = await createIndex(db, { dimensions: 3 });
    const objects = Array.from({ length: 1_300 }, (_, at) => content(`o${at}`, 1, { parts: partsOf([at % 400]) }));
    await writeIn(db, index, objects);
    for (const isBuilt of [false, true]) {
      if (isBuilt) await buildVectorIndex(db, index, { memoryMb: 32 });
      const page = async (offset: number, limit: number) =>
        (await searchObjects(db, index, { vector: vectorOf(9), limit, offset, fields: wantedFields([]) })).hits;
      const whole = await page(0, 1_000);
      expect(new Set(whole.map(({ id }) => id)).size).toBe(1_000);
      const pages = [];
      for (const [offset, limit] of [
        [0, 7],
        [7, 93],
        [100, 400],
        [500, 500],
      ] as const) {
        pages.push(...(await page(offset, limit)));
      }
      expect(pages).toEqual(whole);
    }
  });

  it('the vector of an object is that of its part or the average, and none of one that failed or is deleted', async () => {
    const { db } = database();
    const index = await createIndex(db, { dimensions: 3 });
    await writeIn(db, index, [
      content('one', 1, { parts: partsOf([3]) }),
      content('two', 1, { parts: partsOf([2, 4]) }),
      content('average', 1, { parts: partsOf([2, 8], true) }),
      failure('failed', 1),
      tombstone('gone', 1),
    ]);
    expect(await vectorOfObject(db, index, 'one')).toEqual(vectorOf(3));
    expect(await vectorOfObject(db, index, 'two')).toEqual(vectorOf(3));
    expect(await vectorOfObject(db, index, 'average')).toEqual(vectorOf(5));
    const failed = { type: 'InvalidInput', issues: [{ path: 'id' }] };
    await expect(vectorOfObject(db, index, 'failed')).rejects.toMatchObject(failed);
    for (const id of ['gone', 'never']) {
      await expect(vectorOfObject(db, index, id)).rejects.toMatchObject({ type: 'ObjectNotFound' });
    }
    const { hits } = await searchObjects(db, index, { vector: vectorOf(3), limit: 5, except: 'one' });
    expect(hits.map(({ id }) => id)).toEqual(['two', 'average']);
  });
});
