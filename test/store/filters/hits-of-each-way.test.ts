import { beforeAll, expect, it } from 'vitest';
import type { IndexRow } from '../../../src/store/schema.ts';
import { type SearchRequest, searchObjects } from '../../../src/store/search.ts';
import { buildVectorIndex } from '../../../src/store/vector-index.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { content, createIndex, partsOf, vectorOf, writeIn } from '../builders.ts';

const OBJECTS = 120;
const LIMIT = 5;
/** No two parts are equally far from it, also at half precision. */
const QUERY = 20.03125;

const idOf = (rank: number) => `o${String(rank).padStart(3, '0')}`;
const metadataOf = (rank: number) => ({ rank, even: rank % 2 === 0 });
const valuesOf = (rank: number) => [rank / 2, rank / 2 + 0.1875];

interface Place {
  rank: number;
  part: number | null;
  distance: number;
}
const places = Array.from({ length: OBJECTS }, (_, rank) => {
  const [first, second] = valuesOf(rank) as [number, number];
  const all: [part: number | null, value: number][] = [
    [0, first],
    [1, second],
    [null, (first + second) / 2],
  ];
  return all.map(([part, value]): Place => ({ rank, part, distance: Math.abs(value - QUERY) }));
})
  .flat()
  .sort((left, right) => left.distance - right.distance);

type Keeps = (rank: number) => boolean;
type Wanted = Pick<SearchRequest, 'group' | 'except' | 'minScore'>;

/** The hits that a search must find, as id and part. */
function expected(keeps: Keeps, { group, except, minScore = Number.NEGATIVE_INFINITY }: Wanted) {
  const seen = new Set<number>();
  const ranking = places.filter(({ rank, part }) => {
    if (!keeps(rank) || idOf(rank) === except || (group === 'part' ? part === null : seen.has(rank))) return false;
    seen.add(rank);
    return true;
  });
  return ranking.filter(({ distance }) => -distance >= minScore).map(({ rank, part }) => [idOf(rank), part]);
}

/** The ways in which a search runs on an index with HNSW. */
const WAYS: [
  way: string,
  given: { filter?: Record<string, unknown>; exact?: boolean },
  keeps: Keeps,
  exact: boolean,
][] = [
  ['the HNSW index alone', {}, () => true, false],
  ['a comparison of all', { exact: true }, () => true, true],
  ['a comparison of all that pass', { exact: true, filter: { even: true } }, (rank) => rank % 2 === 0, true],
  ['a comparison of few that metadata finds', { filter: { even: true } }, (rank) => rank % 2 === 0, true],
  ['the nearest among which enough pass', { filter: { rank: { gte: 3 } } }, (rank) => rank >= 3, false],
  ['a comparison after too few near ones', { filter: { rank: { gte: 105 } } }, (rank) => rank >= 105, true],
];

onBothDatabases((database) => {
  let index: IndexRow;

  beforeAll(async () => {
    const { db } = database();
    index = await createIndex(db, { dimensions: 3, metric: 'l2' });
    await writeIn(
      db,
      index,
      Array.from({ length: OBJECTS }, (_, rank) =>
        content(idOf(rank), 1, {
          text: 'x'.repeat(20),
          metadata: metadataOf(rank),
          parts: partsOf(valuesOf(rank), true),
        }),
      ),
    );
    await buildVectorIndex(db, index, { memoryMb: 32 });
  });

  async function find(request: Partial<SearchRequest>) {
    const found = await searchObjects(database().db, index, { vector: vectorOf(QUERY), limit: LIMIT, ...request });
    return { ...found, hits: found.hits.map(({ id, part }) => [id, part]) };
  }

  it.each(WAYS)('%s returns objects or parts, without the example', async (_way, given, keeps, exact) => {
    for (const group of ['object', 'part'] as const) {
      const all = expected(keeps, { group });
      expect(await find({ ...given, group })).toEqual({ hits: all.slice(0, LIMIT), exact, complete: true });
      const except = String(all[0]?.[0]);
      const others = expected(keeps, { group, except }).slice(0, LIMIT);
      expect(await find({ ...given, group, except })).toEqual({ hits: others, exact, complete: true });
    }
  });

  it.each(WAYS)('%s has a lowest score and pages', async (_way, given, keeps) => {
    for (const group of ['object', 'part'] as const) {
      const all = expected(keeps, { group });
      const minScore = -(
        places.find(({ rank, part }) => idOf(rank) === all[2]?.[0] && part === all[2]?.[1])?.distance ?? 0
      );
      const least = await find({ ...given, group, minScore: minScore - 0.01 });
      expect([least.hits, least.complete]).toEqual([all.slice(0, 3), true]);
      const pages = [];
      for (const offset of [0, LIMIT, 2 * LIMIT]) pages.push(...(await find({ ...given, group, offset })).hits);
      expect(pages).toEqual(all.slice(0, 3 * LIMIT));
    }
  });

  it('near ones that pass the filter and reach below the lowest score are not followed by a comparison', async () => {
    const given = { limit: 100, filter: { rank: { lt: 60 } } };
    const all = expected((rank) => rank < 60, { minScore: -2 });
    expect(await find({ ...given, minScore: -2 })).toEqual({ hits: all, exact: false, complete: true });
    expect(await find(given)).toMatchObject({ exact: true, complete: true });
  });
});
