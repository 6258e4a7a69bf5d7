import { expect, test } from 'vitest';
import { seededRandom } from '../../src/evaluation/random.ts';
import { nearestOfAll } from '../../src/store/nearest.ts';
import { searchBothWays } from '../../src/store/search-both-ways.ts';
import { buildVectorIndex } from '../../src/store/vector-index.ts';
import { onBothDatabases } from '../support/databases.ts';
import { content, createIndex, failure, partsOf, tombstone, writeIn } from './builders.ts';

onBothDatabases((database) => {
  const request = { limit: 10, efSearch: [] as number[], parallel: true };

  test('the exact way finds what comparing all parts finds, whatever the parts of the objects', async () => {
    const { db } = database();
    const random = seededRandom(1);
    for (const metric of ['cosine', 'l2', 'ip'] as const) {
      const index = await createIndex(db, { metric });
      // Some objects have far more parts near the query than one read has rows.
      const objects = Array.from({ length: 60 }, (_, at) => {
        const values = Array.from({ length: at % 20 === 0 ? 150 : 1 + (at % 3) }, () => Math.round(random() * 50));
        return content(`d${at}`, 1, { parts: partsOf(values, at % 2 === 0) });
      });
      await writeIn(db, index, objects);
      await writeIn(db, index, [tombstone('d3', 2), tombstone('d20', 2), failure('d5', 2)]);
      for (let at = 0; at < 8; at++) {
        const vector = [random() * 50, 1, 0.5];
        const { ids } = await searchBothWays(db, index, { ...request, vector });
        const expected = await db.transaction().execute((trx) => nearestOfAll(trx, index, { vector, limit: 10 }));
        expect(ids).toEqual(expected.map(({ id }) => id));
      }
    }
  });

  test('an index without an HNSW index is searched only exactly, and an empty one finds nothing', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const vector = [1, 1, 0.5];
    expect(await searchBothWays(db, index, { ...request, vector })).toMatchObject({ ids: [], hnsw: [] });
  });

  test('the HNSW index is searched once for each ef_search, first as searches use it', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const objects = Array.from({ length: 50 }, (_, at) => content(`d${at}`, 1, { parts: partsOf([at]) }));
    await writeIn(db, index, objects);
    await buildVectorIndex(db, index, { memoryMb: 64 });
    const found = await searchBothWays(db, index, { ...request, vector: [20, 1, 0.5], efSearch: [10, 40, 10, 200] });
    expect(found.hnsw.map(({ efSearch }) => efSearch)).toEqual([40, 10, 200]);
    for (const { found: count, ms } of found.hnsw) {
      expect(count).toBe(10);
      expect(ms).toBeGreaterThan(0);
    }
  });
});
