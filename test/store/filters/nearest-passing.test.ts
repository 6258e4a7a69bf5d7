import { sql } from 'kysely';
import { beforeAll, expect, it } from 'vitest';
import { tablesOf } from '../../../src/store/partitions.ts';
import type { IndexRow } from '../../../src/store/schema.ts';
import { searchObjects } from '../../../src/store/search.ts';
import { buildVectorIndex } from '../../../src/store/vector-index.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { createIndex } from '../builders.ts';

const OBJECTS = 8_000;
const DIMENSIONS = 16;
const CLUSTERS = 16;
const QUERIES = 32;
const LIMIT = 10;
/** Cosine similarities this close are equal. */
const SAME = 1e-5;
/**
 * Below what a build of the HNSW index by chance may miss: a cluster or two whose entry its random levels hide. A scan that
 * stops early, or filters what it has found, misses half.
 */
const GOOD_RECALL = 0.8;

/** A number from 0 to 1 that depends on its arguments only. */
function chance(...of: number[]): number {
  const mixed = of.reduce((sum, value, at) => sum + Math.sin(value * 12.9898 + at * 78.233 + 1) * 43_758.5453, 0);
  return mixed - Math.floor(mixed);
}

function near(center: readonly number[], seed: number): number[] {
  const vector = center.map((value, at) => value + 0.7 * (chance(seed, at) - 0.5));
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

const centers = Array.from({ length: CLUSTERS }, (_, cluster) =>
  Array.from({ length: DIMENSIONS }, (_, at) => chance(cluster, at, 7) - 0.5),
);
const clusterOf = (at: number) => at % CLUSTERS;
const vectors = Array.from({ length: OBJECTS }, (_, at) => near(centers[clusterOf(at)] as number[], at + 0.5));
const metadata = Array.from({ length: OBJECTS }, (_, at) => ({
  cluster: clusterOf(at),
  half: clusterOf(at) < CLUSTERS / 2,
  rank: Math.floor(chance(at, 3) * OBJECTS),
  even: Math.floor(at / CLUSTERS) % 2 === 0,
}));
const queries = Array.from({ length: QUERIES }, (_, at) => near(centers[clusterOf(at)] as number[], at + 0.25));

onBothDatabases((database) => {
  let index: IndexRow;

  beforeAll(async () => {
    const { db } = database();
    index = await createIndex(db, { dimensions: DIMENSIONS });
    const { objects, parts } = tablesOf(index.no);
    const texts = metadata.map((one) => JSON.stringify(one));
    await sql`
      insert into ${objects} (index_no, object_id, version, change, payload, metadata, hash)
      select ${index.no}::int, place - 1, 1, nextval('reembed.changes'), '"text"', metadata::jsonb, 'hash'
      from unnest(${texts}::text[]) with ordinality o(metadata, place)`.execute(db);
    await sql`
      insert into ${parts} (index_no, object_id, part, embedding)
      select ${index.no}::int, place - 1, 0, embedding::vector
      from unnest(${vectors.map((vector) => JSON.stringify(vector))}::text[]) with ordinality p(embedding, place)`.execute(
      db,
    );
    await buildVectorIndex(db, index, { memoryMb: 64 });
  }, 240_000);

  /** Recall of each query, and how many answers were exact. */
  async function measure(
    filter: object,
    keeps: (one: (typeof metadata)[number]) => boolean,
    options: { exact?: boolean; ef?: number } = {},
  ): Promise<{ recall: number; worst: number; exact: number }> {
    const recalls: number[] = [];
    let exact = 0;
    for (const vector of queries) {
      const scores = vectors
        .filter((_, at) => keeps(metadata[at] as (typeof metadata)[number]))
        .map((other) => other.reduce((sum, value, at) => sum + value * (vector[at] as number), 0))
        .sort((left, right) => right - left)
        .slice(0, LIMIT);
      const found = await searchObjects(database().db, index, {
        vector,
        limit: LIMIT,
        filter: filter as Record<string, unknown>,
        ...options,
      });
      expect([found.hits.length, found.complete]).toEqual([scores.length, true]);
      expect(found.hits.every((hit) => keeps(hit.metadata as (typeof metadata)[number]))).toBe(true);
      const good = found.hits.filter(({ score }) => score >= (scores.at(-1) ?? 0) - SAME).length;
      recalls.push(scores.length === 0 ? 1 : good / scores.length);
      if (found.exact) exact++;
    }
    return { recall: recalls.reduce((sum, one) => sum + one, 0) / recalls.length, worst: Math.min(...recalls), exact };
  }

  it.each<[string, object, (one: (typeof metadata)[number]) => boolean]>([
    ['a share of 1 %', { rank: { lt: 80 }, half: { in: [true, false] } }, ({ rank }) => rank < 80],
    ['one cluster', { cluster: 3 }, ({ cluster }) => cluster === 3],
    ['nothing', { cluster: -1 }, () => false],
    ['a few by a range alone', { rank: { gte: 1, lte: 3 } }, ({ rank }) => rank >= 1 && rank <= 3],
  ])('a filter that keeps %s is answered exactly for every query', async (_which, filter, keeps) => {
    expect(await measure(filter, keeps)).toEqual({ recall: 1, worst: 1, exact: queries.length });
  });

  it('a filter that keeps half of the objects at random uses the HNSW index and misses next to nothing', async () => {
    const { recall, exact } = await measure({ even: true }, ({ even }) => even);
    expect(recall).toBeGreaterThan(GOOD_RECALL);
    expect(exact).toBe(0);
  });

  it('a filter that keeps half of the clusters is exact for queries of the other half', async () => {
    const { recall, exact } = await measure({ half: true }, ({ half }) => half);
    expect(recall).toBeGreaterThan(GOOD_RECALL);
    expect(exact).toBeGreaterThan(0);
    expect(exact).toBeLessThan(queries.length);
  });

  it('exact compares all, with and without a filter', async () => {
    expect(await measure({}, () => true, { exact: true })).toEqual({ recall: 1, worst: 1, exact: queries.length });
    const half = await measure({ half: true }, ({ half: isHalf }) => isHalf, { exact: true });
    expect(half).toEqual({ recall: 1, worst: 1, exact: queries.length });
  });

  it('a wider search of the HNSW index finds more', async () => {
    const narrow = await measure({}, () => true, { ef: 10 });
    const wide = await measure({}, () => true, { ef: 400 });
    expect([narrow.exact, wide.exact]).toEqual([0, 0]);
    expect(wide.recall).toBeGreaterThanOrEqual(narrow.recall - 0.02);
    expect(wide.recall).toBeGreaterThan(GOOD_RECALL);
  });
});
