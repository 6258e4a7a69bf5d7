import { expect, test } from 'vitest';
import { nearestOfAll } from '../../src/store/nearest.ts';
import { createSearchBothWays } from '../../src/store/search-both-ways.ts';
import { buildVectorIndex } from '../../src/store/vector-index.ts';
import { onBothDatabases } from '../support/databases.ts';
import { content, createIndex, partsOf, vectorOf, writeIn } from './builders.ts';

const how = { parallel: true, inPieces: async <T>(statement: () => Promise<T>) => statement() };

onBothDatabases((database) => {
  test('each vector finds exactly what a search that compares all parts finds', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(
      db,
      index,
      Array.from({ length: 300 }, (_, at) => content(`d${at}`, 1, { parts: partsOf([at % 90, at % 70]) })),
    );
    const search = createSearchBothWays(db, index, { limit: 10, efSearch: [] });
    const vectors = Array.from({ length: 40 }, (_, at) => vectorOf(at * 2));
    // The first search has time to spare; a later one runs most of its vectors together.
    for (const found of [await search({ ...how, vectors }), await search({ ...how, vectors })]) {
      expect(found).toHaveLength(vectors.length);
      for (const [at, { ids }] of found.entries()) {
        const wanted = { vector: vectors[at] ?? [], limit: 10 };
        const expected = await db.transaction().execute((trx) => nearestOfAll(trx, index, wanted));
        expect(ids).toEqual(expected.map(({ id }) => id));
      }
    }
  });

  test('at least one exact search is timed, and none is if there is nothing to search for', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [content('d1', 1)]);
    const search = createSearchBothWays(db, index, { limit: 10, efSearch: [] });
    expect(await search({ ...how, vectors: [] })).toEqual([]);
    const [first] = await search({ ...how, vectors: [vectorOf(1)] });
    expect(first).toEqual({ ids: ['d1'], exactMs: expect.any(Number), hnsw: [] });
  });

  test('an index without an HNSW index is searched only exactly, and an empty one finds nothing', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const search = createSearchBothWays(db, index, { limit: 10, efSearch: [] });
    expect(await search({ ...how, vectors: [vectorOf(1)] })).toMatchObject([{ ids: [], hnsw: [] }]);
  });

  test('the HNSW index is searched once for each ef_search, first as searches use it', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const objects = Array.from({ length: 50 }, (_, at) => content(`d${at}`, 1, { parts: partsOf([at]) }));
    await writeIn(db, index, objects);
    await buildVectorIndex(db, index, { memoryMb: 64 });
    const search = createSearchBothWays(db, index, { limit: 10, efSearch: [10, 40, 10, 200] });
    const [found] = await search({ ...how, vectors: [vectorOf(20)] });
    expect(found?.hnsw.map(({ efSearch }) => efSearch)).toEqual([40, 10, 200]);
    for (const { found: count, ms } of found?.hnsw ?? []) {
      expect(count).toBe(10);
      expect(ms).toBeGreaterThan(0);
    }
  });

  test('the searches run in pieces, one after the other', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const objects = Array.from({ length: 300 }, (_, at) => content(`d${at}`, 1, { parts: partsOf([at % 90]) }));
    await writeIn(db, index, objects);
    await buildVectorIndex(db, index, { memoryMb: 64 });
    const search = createSearchBothWays(db, index, { limit: 10, efSearch: [] });
    const vectors = Array.from({ length: 20 }, (_, at) => vectorOf(at));
    let [pieces, open, atOnce] = [0, 0, 0];
    const inPieces = async <T>(statement: () => Promise<T>): Promise<T> => {
      pieces++;
      atOnce = Math.max(atOnce, ++open);
      const result = await statement();
      open--;
      return result;
    };
    expect(await search({ vectors, parallel: false, inPieces })).toHaveLength(vectors.length);
    expect(atOnce).toBe(1);
    // The HNSW searches of each vector, and at least one exact search.
    expect(pieces).toBeGreaterThan(vectors.length);
  });

  test('a search that is told to stop between two statements stops', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [content('d1', 1)]);
    const search = createSearchBothWays(db, index, { limit: 10, efSearch: [] });
    const inPieces = () => Promise.reject(new Error('stop'));
    await expect(search({ vectors: [vectorOf(1)], parallel: false, inPieces })).rejects.toThrow('stop');
  });
});
