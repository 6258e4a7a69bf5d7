import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { IndexConfigInput, Metric } from '../../src/contract/indexes.ts';
import { resolveVectorIndex } from '../../src/contract/vector-index.ts';
import type { Trx } from '../../src/store/database.ts';
import { nearestByIndex, nearestOfAll } from '../../src/store/nearest.ts';
import { defaultEfSearch, netOf } from '../../src/store/neighborhood.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import { measureRecall } from '../../src/store/recall.ts';
import { beginScan } from '../../src/store/scan-by-index.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { searchObjects } from '../../src/store/search.ts';
import { indexedDistance } from '../../src/store/vector-expressions.ts';
import { buildVectorIndex, describeSearch, hasParts, isVectorIndexReady } from '../../src/store/vector-index.ts';
import { onBothDatabases } from '../support/databases.ts';
import { content, createIndex, writeIn } from './builders.ts';

const DIMENSIONS = 64;
const OBJECTS = 400;

/** Numbers that look random, are the same in every run, and of which the first ones say most. */
function numbers(seed: number, count = DIMENSIONS): number[] {
  return Array.from({ length: count }, (_, at) => Math.fround(Math.sin(seed * 12.9898 + at * 78.233) / (1 + at / 16)));
}

type Settings = Pick<IndexConfigInput, 'storage' | 'vectorIndex' | 'metric'>;

const COMPACT: [string, Settings][] = [
  ['one bit per number', { vectorIndex: { precision: 'bit' } }],
  ['half precision', { vectorIndex: { precision: 'half', m: 8, efConstruction: 32 } }],
  ['the first dimensions', { vectorIndex: { dimensions: 32 } }],
  ['the first dimensions in half precision', { vectorIndex: { dimensions: 32, precision: 'half' } }],
  ['one bit of the first dimensions', { vectorIndex: { dimensions: 48, precision: 'bit' } }],
  ['stored in half precision', { storage: 'halfvec' }],
  ['stored in half precision, with one bit', { storage: 'halfvec', vectorIndex: { precision: 'bit' } }],
  ['stored in half precision, the first dimensions', { storage: 'halfvec', vectorIndex: { dimensions: 32 } }],
];

onBothDatabases((database) => {
  async function filled(settings: Settings = {}, { objects = OBJECTS, dimensions = DIMENSIONS } = {}) {
    const { db } = database();
    const index = await createIndex(db, { dimensions, ...settings });
    const embeddingOf = (at: number) => numbers(at + 1, dimensions);
    await writeIn(
      db,
      index,
      Array.from({ length: objects }, (_, at) =>
        content(`o${at}`, 1, {
          metadata: { even: at % 2 === 0 },
          parts: [at, at + 5_000].map((seed, part) => {
            return { part, start: 0, end: 1, isAverage: false, embedding: embeddingOf(seed) };
          }),
        }),
      ),
    );
    await buildVectorIndex(db, index, { memoryMb: 16 });
    return index;
  }

  const within = <T>(search: (trx: Trx) => Promise<T>) => database().db.transaction().execute(search);
  const query = Array.from(numbers(77.3));

  describe.each(COMPACT)('an index with %s', (_what, settings) => {
    it('is read by a search, in the order of the stored vectors and without missing many', async () => {
      const index = await filled(settings);
      const plan = await within(async (trx) => {
        await beginScan(trx, 100);
        const { rows } = await sql<{ 'QUERY PLAN': string }>`
          explain select object_id from ${tablesOf(index.no).parts} order by ${indexedDistance(index, query)} limit 5`.execute(
          trx,
        );
        return rows.map((row) => row['QUERY PLAN']).join('\n');
      });
      expect(plan).toContain(`parts_${index.no}_hnsw`);
      const exact = await within((trx) => nearestOfAll(trx, index, { vector: query, limit: 400 }));
      const found = await within((trx) => nearestByIndex(trx, index, { vector: query, limit: 20 }));
      const rankOf = new Map(exact.map(({ id, distance }, at) => [id, { at, distance }]));
      const ranks = found.map(({ id }) => rankOf.get(id)?.at ?? -1);
      expect(ranks).toEqual(ranks.toSorted((left, right) => left - right));
      for (const { id, distance } of found) expect(distance).toBeCloseTo(rankOf.get(id)?.distance ?? -1, 5);
      expect(ranks.filter((rank) => rank < 20).length).toBeGreaterThanOrEqual(14);
      expect(await measureRecall(database().db, index, { objects: 20, limit: 10 })).toBeGreaterThan(0.7);
    });

    it.each(['cosine', 'l2', 'ip'] as const)('has the scores of the metric %s', async (metric: Metric) => {
      const { db } = database();
      const index = await filled({ ...settings, metric }, { objects: 60 });
      const { hits, exact } = await searchObjects(db, index, { vector: query, limit: 10 });
      const all = await searchObjects(db, index, { vector: query, limit: 60, exact: true });
      expect({ exact, all: all.exact, hits: hits.length }).toEqual({ exact: false, all: true, hits: 10 });
      const scoreOf = new Map(all.hits.map(({ id, score }) => [id, score]));
      for (const { id, score } of hits) expect(score).toBeCloseTo(scoreOf.get(id) as number, 5);
    });
  });

  it.each([
    ['stored in half precision', { storage: 'halfvec' }],
    ['indexed in half precision', { vectorIndex: { precision: 'half' } }],
    ['indexed in half precision, the first dimensions', { vectorIndex: { dimensions: 32, precision: 'half' } }],
  ] as [string, Settings][])('a short vector finds what a long one finds in an index %s', async (_what, settings) => {
    const index = await filled(settings);
    for (const exact of [false, true]) {
      const search = (length: number) =>
        searchObjects(database().db, index, { vector: query.map((value) => value * length), limit: 10, exact });
      const [long, short] = [await search(1), await search(1e-9)];
      expect(short.hits.map(({ id }) => id)).toEqual(long.hits.map(({ id }) => id));
      expect(short.hits).toHaveLength(10);
      for (const [at, { score }] of short.hits.entries()) expect(score).toBeCloseTo(long.hits[at]?.score ?? -1, 3);
    }
  });

  it('a search with a filter, parts, pages or a width says truthfully how it was run', async () => {
    const { db } = database();
    const index = await filled({ vectorIndex: { precision: 'bit' } });
    const search = (more: object) => searchObjects(db, index, { vector: query, limit: 5, ...more });
    const dense = await search({ filter: { even: true } });
    expect(dense.hits).toHaveLength(5);
    expect(dense.hits.every(({ metadata }) => metadata?.even === true)).toBe(true);
    const truth = await search({ filter: { even: true }, exact: true });
    if (dense.exact) expect(dense.hits).toEqual(truth.hits);
    const parts = await search({ group: 'part' });
    expect(parts).toMatchObject({ exact: false, complete: true });
    expect(parts.hits.every(({ part }) => part !== null)).toBe(true);
    const [first, second] = [await search({ offset: 0 }), await search({ offset: 5 })];
    expect(new Set([...first.hits, ...second.hits].map(({ id }) => id)).size).toBe(10);
    expect((first.hits.at(-1)?.score ?? 0) >= (second.hits[0]?.score ?? 1)).toBe(true);
    const wide = await search({ ef: 1_000 });
    const exact = await search({ exact: true });
    expect(wide.hits.map(({ id }) => id)).toEqual(exact.hits.map(({ id }) => id));
  });

  it('only an index that has less of its vectors gathers more neighbors than are wanted', async () => {
    const settings = (given: Settings) => createIndex(database().db, { dimensions: DIMENSIONS, ...given });
    const usual = await settings({});
    const bit = await settings({ vectorIndex: { precision: 'bit' } });
    const short = await settings({ vectorIndex: { dimensions: 8 } });
    expect([usual, short, bit].map((index) => netOf(index, 20))).toEqual([20, 80, 200]);
    expect(netOf(bit, 20, defaultEfSearch(bit, 20))).toBe(200);
    expect(netOf(bit, 1_000)).toBe(1_000);
    expect([netOf(usual, 20, 400), netOf(bit, 20, 40)]).toEqual([20, 20]);
  });

  it.each([
    [2_500, { precision: 'bit' }],
    [5_000, { precision: 'bit' }],
    [5_000, { precision: 'half', dimensions: 1_024 }],
    [5_000, { dimensions: 3_000 }],
    [5_000, { dimensions: 256 }],
  ] as const)('vectors of %i dimensions can be indexed with %o', async (dimensions, vectorIndex) => {
    const { db } = database();
    const index = await filled({ vectorIndex }, { objects: 10, dimensions });
    expect(resolveVectorIndex(index).kind).toBe('hnsw');
    expect(await isVectorIndexReady(db, index)).toBe(true);
    const { hits, exact } = await searchObjects(db, index, { vector: numbers(4, dimensions), limit: 3 });
    expect(exact).toBe(false);
    expect(hits[0]).toMatchObject({ id: 'o3', score: expect.closeTo(1, 3) });
    expect(describeSearch(index, true)).toMatch(/^HNSW index over .*5000|^HNSW index over .*2500/);
  });

  it('an index without a vector index compares all parts, and is ready', async () => {
    const { db } = database();
    const index = await filled({ vectorIndex: { kind: 'none' } }, { objects: 5 });
    expect(await isVectorIndexReady(db, index)).toBe(true);
    expect(await searchObjects(db, index, { vector: query, limit: 2 })).toMatchObject({ exact: true, complete: true });
    expect(describeSearch(index, true)).toBe('No vector index: every search scans all parts');
  });

  it('vectors stored in half precision take half the space, and count as parts', async () => {
    const { db } = database();
    const bytesOf = async (index: IndexRow) => {
      const { rows } = await sql<{ bytes: number }>`
        select avg(pg_column_size(embedding))::float8 as bytes from ${tablesOf(index.no).parts}`.execute(db);
      return rows[0]?.bytes;
    };
    const half = await filled({ storage: 'halfvec', vectorIndex: { kind: 'none' } });
    const full = await filled({ vectorIndex: { kind: 'none' } });
    expect([await bytesOf(half), await bytesOf(full)]).toEqual([8 + 2 * DIMENSIONS, 8 + 4 * DIMENSIONS]);
    expect(await hasParts(db, half, 2 * OBJECTS)).toBe(true);
    expect(await hasParts(db, half, 2 * OBJECTS + 1)).toBe(false);
  });

  it('a search refuses a vector that half precision cannot hold', async () => {
    const index = await filled({ storage: 'halfvec' }, { objects: 5 });
    const vector = [70_000, ...query.slice(1)];
    await expect(searchObjects(database().db, index, { vector, limit: 2 })).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining('65504'),
    });
  });
});
