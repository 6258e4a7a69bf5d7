import { afterAll, beforeAll, expect, it } from 'vitest';
import { seededRandom } from '../../../src/evaluation/random.ts';
import type { IndexRow } from '../../../src/store/schema.ts';
import { searchObjects } from '../../../src/store/search.ts';
import { buildVectorIndex } from '../../../src/store/vector-index.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { content, createIndex, writeIn } from '../builders.ts';

const DIMENSIONS = 64;
const OBJECTS = 3_000;
const TOPICS = 40;
const LIMIT = 10;
const random = seededRandom(7);

/** Around 0, and smaller for later dimensions, as in models whose first numbers say most. */
function numbers(scale: number): number[] {
  const around = () => random() + random() + random() - 1.5;
  return Array.from({ length: DIMENSIONS }, (_, at) => (scale * around()) / (1 + at / 12));
}
const topics = Array.from({ length: TOPICS }, () => numbers(2));
const near = (topic: number) => numbers(0.8).map((value, at) => Math.fround(value + (topics[topic]?.[at] ?? 0)));

let database: TestDatabase;
let index: IndexRow;
beforeAll(async () => {
  database = await openPostgresDatabase();
  index = await createIndex(database.db, { dimensions: DIMENSIONS, vectorIndex: { precision: 'bit' } });
  const objects = Array.from({ length: OBJECTS }, (_, at) =>
    content(`o${at}`, 1, {
      metadata: { topic: at % TOPICS, place: Math.floor(at / TOPICS) },
      parts: [{ part: 0, start: 0, end: 1, isAverage: false, embedding: near(at % TOPICS) }],
    }),
  );
  await writeIn(database.db, index, objects);
  await buildVectorIndex(database.db, index, { memoryMb: 64 });
});
afterAll(() => database?.close());

/** Share of the nearest that pass a filter that is found for vectors of the first topics, and how many ways were exact. */
async function recallOf(filter: Record<string, unknown>) {
  let [found, wanted, exact] = [0, 0, 0];
  for (let topic = 0; topic < 12; topic++) {
    const request = { vector: near(topic), limit: LIMIT, filter };
    const some = await searchObjects(database.db, index, request);
    const all = await searchObjects(database.db, index, { ...request, exact: true });
    const ids = new Set(some.hits.map(({ id }) => id));
    found += all.hits.filter(({ id }) => ids.has(id)).length;
    wanted += all.hits.length;
    exact += some.exact ? 1 : 0;
  }
  return { recall: found / wanted, exact };
}

it.each([
  ['of which few pass', { place: { lt: 4 } }],
  ['of which many pass that are far away', { topic: { gte: 30 } }],
  ['of which all but those near by pass', { topic: { gte: 12 } }],
])('an index of one bit for each number misses hardly any of the nearest %s', async (_which, filter) => {
  expect((await recallOf(filter)).recall).toBeGreaterThan(0.97);
});

it('such an index is enough where many of the near ones pass', async () => {
  const { recall, exact } = await recallOf({ place: { gte: 20 } });
  expect(recall).toBeGreaterThan(0.97);
  expect(exact).toBeLessThan(12);
});
