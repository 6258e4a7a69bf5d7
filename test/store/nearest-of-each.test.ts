import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Vector } from '../../src/contract/vectors.ts';
import { seededRandom } from '../../src/evaluation/random.ts';
import type { Db } from '../../src/store/database.ts';
import { nearestOfAll } from '../../src/store/nearest.ts';
import { type InPieces, nearestOfEach } from '../../src/store/nearest-of-each.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { onBothDatabases, openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { content, createIndex, failure, partsOf, tombstone, vectorOf, writeIn } from './builders.ts';

type Found = Awaited<ReturnType<typeof nearestOfEach>>;

/** Searches for all vectors together; `between` runs between two statements. */
async function together(
  db: Db,
  index: IndexRow,
  {
    vectors,
    limit = 10,
    between = async () => {},
  }: { vectors: Vector[]; limit?: number; between?: () => Promise<void> },
): Promise<Found> {
  const search = db.transaction().setIsolationLevel('repeatable read');
  const inPieces: InPieces = async (statement) => {
    const result = await statement();
    await between();
    return result;
  };
  return search.execute((trx) => nearestOfEach(trx, index, { vectors, limit, inPieces }));
}

async function oneByOne(db: Db, index: IndexRow, vectors: Vector[], limit = 10): Promise<Found> {
  return db.transaction().execute(async (trx) => {
    const results: Found = [];
    for (const vector of vectors) {
      const found = await nearestOfAll(trx, index, { vector, limit });
      results.push(found.map(({ id, distance }) => ({ id, distance })));
    }
    return results;
  });
}

/** A part whose angle to any vector is not a number. */
const zeros = { part: 900, start: null, end: null, isAverage: false, embedding: [0, 0, 0] };

/**
 * Objects with few different distances, one or many parts, some with an average or without a direction; some are
 * deleted or failed. They fill more blocks than the first statement reads.
 */
async function givenTies(db: Db, metric: IndexRow['metric'], random: () => number): Promise<IndexRow> {
  const index = await createIndex(db, { metric });
  const objects = Array.from({ length: 500 }, (_, at) => {
    const values = Array.from({ length: at % 50 === 0 ? 150 : 1 + (at % 3) }, () => Math.round(random() * 40));
    const parts = partsOf(values, at % 2 === 0);
    return content(`d${at}`, 1, { parts: at % 9 === 0 ? [zeros] : at % 7 === 0 ? [...parts, zeros] : parts });
  });
  await writeIn(db, index, objects);
  const changed = Array.from({ length: 40 }, (_, at) => content(`d${at * 4}`, 2, { parts: partsOf([at, at + 1]) }));
  await writeIn(db, index, changed);
  await writeIn(db, index, [tombstone('d3', 3), tombstone('d20', 3), failure('d5', 3), tombstone('d50', 3)]);
  return index;
}

onBothDatabases((database) => {
  test.each(['cosine', 'l2', 'ip'] as const)(
    'equals searches one by one, with ties, by the metric %s',
    async (metric) => {
      const { db } = database();
      const seed = 1 + Math.floor(Math.random() * 1e6);
      const random = seededRandom(seed);
      const index = await givenTies(db, metric, random);
      for (const [count, limit] of [
        [1, 10],
        [30, 10],
        [12, 100],
        [9, 1_000],
      ] as const) {
        const vectors = Array.from({ length: count }, (_, at) => [Math.round(random() * 50), 1, at % 2]);
        let statements = 0;
        const between = async () => {
          statements++;
        };
        const found = await together(db, index, { vectors, limit, between });
        expect(found, `seed ${seed}`).toEqual(await oneByOne(db, index, vectors, limit));
        expect(statements).toBeGreaterThan(1);
      }
    },
  );

  test('orders equally near objects by the bytes of their ids', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const ids = ['b', 'a', '\u{1f600}', '\uff5e', 'ä', 'A'];
    await writeIn(
      db,
      index,
      ids.map((id) => content(id, 1)),
    );
    const vectors = [vectorOf(1), vectorOf(3)];
    const found = await together(db, index, { vectors, limit: 5 });
    expect(found.map((objects) => objects.map(({ id }) => id))).toEqual([
      ['A', 'a', 'b', 'ä', '\uff5e'],
      ['A', 'a', 'b', 'ä', '\uff5e'],
    ]);
    expect(found).toEqual(await oneByOne(db, index, vectors, 5));
  });

  test('finds nothing in an empty index, and nothing for no vectors', async () => {
    const { db } = database();
    const index = await createIndex(db);
    expect(await together(db, index, { vectors: [vectorOf(1), vectorOf(2)] })).toEqual([[], []]);
    expect(await together(db, index, { vectors: [] })).toEqual([]);
  });

  test('ignores parts without an object, as a search does', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(
      db,
      index,
      Array.from({ length: 20 }, (_, at) => content(`d${at}`, at + 1)),
    );
    await sql`
      insert into ${tablesOf(index.no).parts} (index_no, object_id, part, embedding)
      values (${index.no}, 'nobody', 0, '[5, 1, 0.5]')`.execute(db);
    const vectors = [vectorOf(5), vectorOf(19)];
    const found = await together(db, index, { vectors, limit: 4 });
    expect(found).toEqual(await oneByOne(db, index, vectors, 4));
    expect(found.flat().map(({ id }) => id)).not.toContain('nobody');
  });

  test('compares in half precision where searches do', async () => {
    const { db } = database();
    const dimensions = 2_100;
    const index = await createIndex(db, { dimensions });
    const random = seededRandom(7);
    const vectorAt = () => Float32Array.from({ length: dimensions }, () => random() - 0.5);
    const objects = Array.from({ length: 30 }, (_, at) =>
      content(`d${at}`, 1, { parts: [{ part: 0, start: null, end: null, isAverage: false, embedding: vectorAt() }] }),
    );
    await writeIn(db, index, objects);
    const vectors = Array.from({ length: 10 }, vectorAt);
    expect(await together(db, index, { vectors })).toEqual(await oneByOne(db, index, vectors));
  });
});

describe('between two statements', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openPostgresDatabase();
  });
  afterAll(() => database?.close());

  test('writes and deletions change nothing', async () => {
    const { db } = database;
    const index = await givenTies(db, 'l2', seededRandom(3));
    const vectors = Array.from({ length: 20 }, (_, at) => vectorOf(at));
    const before = await oneByOne(db, index, vectors);
    let writes = 0;
    const between = async () => {
      writes++;
      const near = Array.from({ length: 20 }, (_, at) => content(`new${at}`, 10 + writes, { parts: partsOf([at]) }));
      const gone = before.map(([first]) => tombstone(first?.id ?? '', 10 + writes));
      await writeIn(db, index, [...near, ...new Map(gone.map((object) => [object.id, object])).values()]);
    };
    expect(await together(db, index, { vectors, between })).toEqual(before);
    expect(writes).toBeGreaterThan(1);
    expect(await oneByOne(db, index, vectors)).not.toEqual(before);
  });
});
