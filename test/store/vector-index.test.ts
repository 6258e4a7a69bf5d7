import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { resolveVectorIndex } from '../../src/contract/vector-index.ts';
import type { Db } from '../../src/store/database.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import type { WritePart } from '../../src/store/protocol/object-write.ts';
import { measureRecall } from '../../src/store/recall.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { searchObjects } from '../../src/store/search.ts';
import { buildVectorIndex, describeSearch, hasParts, isVectorIndexReady } from '../../src/store/vector-index.ts';
import { onBothDatabases } from '../support/databases.ts';
import { content, createIndex, tombstone, writeIn } from './builders.ts';
import { openTransaction, untilWaiting } from './concurrency.ts';

const MEMORY = { memoryMb: 16 };

/** Numbers that look random and are the same in every run. */
function numbers(seed: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => Math.fround(Math.sin(seed * 12.9898 + at * 78.233)));
}

function vectors(id: string, version: number, embeddings: readonly number[][], metadata = {}) {
  const parts = embeddings.map(
    (embedding, part): WritePart => ({ part, start: 0, end: 1, isAverage: false, embedding }),
  );
  return content(id, version, { parts, metadata });
}

async function filled(db: Db, objects: number, config: Parameters<typeof createIndex>[1]): Promise<IndexRow> {
  const index = await createIndex(db, config);
  const { dimensions } = index.model;
  await writeIn(
    db,
    index,
    Array.from({ length: objects }, (_, at) =>
      vectors(`o${at}`, 1, [numbers(at + 1, dimensions), numbers(-at - 1, dimensions)], { even: at % 2 === 0, at }),
    ),
  );
  return index;
}

const DISTANCES = {
  cosine: (a: number[], b: number[]) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)),
  l2: (a: number[], b: number[]) => -Math.sqrt(a.reduce((sum, one, at) => sum + (one - (b[at] ?? 0)) ** 2, 0)),
  ip: (a: number[], b: number[]) => dot(a, b),
};
const dot = (a: number[], b: number[]) => a.reduce((sum, one, at) => sum + one * (b[at] ?? 0), 0);

onBothDatabases((database, databaseName) => {
  it.each([
    [2_000, 'full'],
    [2_001, 'half'],
    [4_000, 'half'],
    [4_001, 'none'],
  ] as const)('%i dimensions are indexed as %s, searched, and described', async (dimensions, kind) => {
    const { db } = database();
    const index = await filled(db, 3, { dimensions });
    expect(resolveVectorIndex(index)).toMatchObject(kind === 'none' ? { kind } : { kind: 'hnsw', precision: kind });
    expect(await buildVectorIndex(db, index, MEMORY)).toBe(true);
    expect(await isVectorIndexReady(db, index)).toBe(true);
    const { hits } = await searchObjects(db, index, { vector: numbers(2, dimensions), limit: 2 });
    expect(hits[0]).toMatchObject({ id: 'o1', part: 0, score: expect.closeTo(1, 3) });
    expect(describeSearch(index, true)).toContain(
      kind === 'none' ? 'every search scans all parts' : String(dimensions),
    );
  });

  it.each(['cosine', 'l2', 'ip'] as const)(
    'a search with the metric %s finds what an exact search computes',
    async (metric) => {
      const { db } = database();
      const index = await filled(db, 60, { dimensions: 8, metric });
      const vector = numbers(77, 8);
      const truth = Array.from({ length: 60 }, (_, at) => ({
        id: `o${at}`,
        score: Math.max(DISTANCES[metric](vector, numbers(at + 1, 8)), DISTANCES[metric](vector, numbers(-at - 1, 8))),
      })).sort((a, b) => b.score - a.score);
      const expected = truth.slice(0, 7).map(({ id, score }) => ({ id, score: expect.closeTo(score, 4) }));
      for (const built of [false, true]) {
        if (built) await buildVectorIndex(db, index, MEMORY);
        expect((await searchObjects(db, index, { vector, limit: 7 })).hits).toMatchObject(expected);
      }
      expect(await measureRecall(db, index, { objects: 10, limit: 10 })).toBe(1);
    },
  );

  it('an object is found once, by its best part, or by its average if that is the best', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const average = { part: 20, start: null, end: null, isAverage: true, embedding: [0, 0, 1] };
    const many = vectors(
      'many',
      1,
      Array.from({ length: 20 }, (_, at) => [1, at / 100, 0]),
    );
    await writeIn(db, index, [
      { ...many, parts: [...many.parts, average] },
      vectors('one', 1, [[0.5, 1, 0]]),
      vectors('two', 1, [[0, 1, 0]]),
    ]);
    const { hits } = await searchObjects(db, index, { vector: [1, 0.05, 0], limit: 3 });
    expect(hits.map(({ id, part }) => [id, part])).toEqual([
      ['many', 5],
      ['one', 0],
      ['two', 0],
    ]);
    expect((await searchObjects(db, index, { vector: [0, 0, 1], limit: 1 })).hits[0]).toMatchObject({
      id: 'many',
      part: null,
    });
  });

  it('a filter returns only objects whose metadata contains it, however rare they are', async () => {
    const { db } = database();
    const index = await filled(db, 80, { dimensions: 8 });
    await buildVectorIndex(db, index, MEMORY);
    const search = async (filter: Record<string, unknown>) =>
      (await searchObjects(db, index, { vector: numbers(5, 8), limit: 80, filter })).hits;
    expect((await search({ even: true })).every(({ metadata }) => metadata?.even === true)).toBe(true);
    expect(await search({ even: true })).toHaveLength(40);
    expect((await search({ at: 63 })).map(({ id }) => id)).toEqual(['o63']);
    expect(await search({ at: 'x' })).toEqual([]);
    expect(await search({})).toHaveLength(80);
  });

  it('a search finds neither deleted objects nor zero vectors, and refuses another dimension', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [
      vectors('a', 1, [[1, 0, 0]]),
      vectors('b', 1, [[0, 1, 0]]),
      vectors('zero', 1, [[0, 0, 0]]),
    ]);
    await writeIn(db, index, [tombstone('a', 2)]);
    const { hits } = await searchObjects(db, index, { vector: [1, 0, 0], limit: 9 });
    expect(hits).toMatchObject([{ id: 'b', score: expect.closeTo(0, 5) }]);
    await expect(searchObjects(db, index, { vector: [1], limit: 9 })).rejects.toMatchObject({ type: 'InvalidInput' });
  });

  it('the size of an index is known without counting all of it', async () => {
    const { db } = database();
    const index = await filled(db, 3, { dimensions: 3 });
    expect([await hasParts(db, index, 6), await hasParts(db, index, 7)]).toEqual([true, false]);
    expect(await measureRecall(db, await createIndex(db), { objects: 5, limit: 5 })).toBeNull();
  });

  it('an HNSW index that an interrupted build left invalid is built again', async () => {
    const { db } = database();
    const index = await filled(db, 5, { dimensions: 3 });
    await buildVectorIndex(db, index, MEMORY);
    const name = `parts_${index.no}_hnsw`;
    await sql`
      update pg_index set indisvalid = false where indexrelid = ${`reembed.${name}`}::regclass`.execute(db);
    expect(await isVectorIndexReady(db, index)).toBe(false);
    expect(await buildVectorIndex(db, index, MEMORY)).toBe(true);
    expect(await isVectorIndexReady(db, index)).toBe(true);
    expect((await searchObjects(db, index, { vector: numbers(1, 3), limit: 5 })).hits).toHaveLength(5);
  });

  describe.skipIf(databaseName === 'pglite')('while an HNSW index is built', () => {
    it('writers continue, a second builder leaves immediately, and an interrupted build is repaired', async () => {
      const { db } = database();
      const index = await filled(db, 20, { dimensions: 3 });
      const { parts } = tablesOf(index.no);
      const old = await openTransaction(db, (trx) => sql`lock table ${parts} in row exclusive mode`.execute(trx));
      const building = buildVectorIndex(db, index, MEMORY).catch((error) => error);
      await untilWaiting(db, 1);
      expect(await buildVectorIndex(db, index, MEMORY)).toBe(false);
      await writeIn(db, index, [vectors('meanwhile', 1, [[1, 2, 3]])]);
      await sql`
        select pg_cancel_backend(pid)
        from pg_stat_activity
        where datname = current_database() and query like '%create index concurrently%' and pid <> pg_backend_pid()`.execute(
        db,
      );
      expect(await building).toMatchObject({ code: '57014' });
      await old.commit();
      expect(await isVectorIndexReady(db, index)).toBe(false);
      const all = await Promise.all([1, 2, 3].map(() => buildVectorIndex(db, index, MEMORY)));
      expect(all).toContain(true);
      expect(await isVectorIndexReady(db, index)).toBe(true);
      expect((await searchObjects(db, index, { vector: [1, 2, 3], limit: 1 })).hits).toMatchObject([
        { id: 'meanwhile' },
      ]);
    });

    it.each([
      ['several processes build it', {}, true],
      ['one process builds it where the others are for live work', { oneProcess: true }, false],
    ] as const)('%s', async (_who, options, several) => {
      const { db } = database();
      const index = await createIndex(db, { dimensions: 384 });
      // Postgres uses several workers for a table of 8 MB or more.
      await sql`
        insert into ${tablesOf(index.no).parts} (index_no, object_id, part, embedding)
        select ${index.no}::int, 'o' || n, 0,
          (select array_agg(sin(n * at)) from generate_series(1, 384) at)::real[]::vector
        from generate_series(1, 6000) n`.execute(db);
      let isBuilt = false;
      const building = buildVectorIndex(db, index, { memoryMb: 128, ...options }).finally(() => {
        isBuilt = true;
      });
      let helped = false;
      while (!isBuilt) {
        const { rows } = await sql`
          select from pg_stat_activity
          where datname = current_database() and backend_type = 'parallel worker' and query like '%hnsw%'`.execute(db);
        helped ||= rows.length > 0;
        await delay(20);
      }
      expect(await building).toBe(true);
      expect(helped).toBe(several);
    });
  });
});
