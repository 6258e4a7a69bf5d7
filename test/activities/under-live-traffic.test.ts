import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { ActivityDependencies } from '../../src/activities/dependencies.ts';
import { createActivities } from '../../src/activities/index.ts';
import { thresholdsSchema } from '../../src/contract/evaluation.ts';
import type { ChunkWaits } from '../../src/contract/task-pace.ts';
import { openDatabase } from '../../src/store/database.ts';
import { beginEvaluation } from '../../src/store/evaluations.ts';
import { hasLiveWork } from '../../src/store/live-traffic.ts';
import { markChanges } from '../../src/store/protocol/copy.ts';
import { saveQuerySet } from '../../src/store/query-sets.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { content, createIndex, lockIn, uniqueName, writeIn } from '../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { audit, auditedIndex, embedded, textOf } from './audit/support.ts';
import { givenDependencies } from './dependencies.ts';

const OBJECTS = 40;

let database: TestDatabase;
let background: TestDatabase['db'];
let deps: ActivityDependencies;
beforeAll(async () => {
  database = await openPostgresDatabase();
  background = openDatabase({ url: database.url, background: true });
  const usual = givenDependencies(database.db, () => undefined);
  deps = { ...usual, background, settings: { ...usual.settings, copyShare: 0.25 } };
});
afterAll(async () => {
  await background?.destroy();
  await database?.close();
});

/** Runs work while there is live work all the time: a transaction that stays open, and is not idle for long. */
async function underConstantLoad<T>(work: () => Promise<T>): Promise<T> {
  let isOver = false;
  const load = database.db.transaction().execute(async (trx) => {
    while (!isOver) await sql`select pg_sleep(0.05)`.execute(trx);
  });
  try {
    await vi.waitFor(async () => expect(await hasLiveWork(background, 0)).toBe(true), 90_000);
    return await work();
  } finally {
    isOver = true;
    await load;
  }
}

async function givenObjects(): Promise<IndexRow> {
  const index = await createIndex(database.db);
  await writeIn(
    database.db,
    index,
    Array.from({ length: OBJECTS }, (_, at) => content(`d${at}`, 1)),
  );
  return index;
}

/** A reindex of some objects, and its request. */
async function givenPair() {
  const { db } = database;
  const [source, dest] = [await givenObjects(), await createIndex(db)];
  const { lock, taskId } = await lockIn(db, source.name, dest.name);
  return { taskId, lock, sourceNo: source.no, destNo: dest.no, batchSize: 10, ratePerSecond: null };
}

const run = <T>(activity: (request: never) => Promise<T>, request: unknown) =>
  new MockActivityEnvironment().run(activity, request as never) as Promise<T>;

test('a copy and its comparison with the source end under constant live load, and the copy reports that it yields', async () => {
  const { embed } = createActivities(deps);
  const pair = await givenPair();
  const range = { after: null, until: null, inFlight: 2 };
  const copied = await underConstantLoad(() => run(embed.copySlice, { ...pair, ...range }));
  expect(copied).toMatchObject({ done: true, counts: { copied: OBJECTS } });
  expect(copied.waits?.liveMs).toBeGreaterThan(0);
  const mark = await markChanges(database.db, pair.sourceNo);
  const verified = await underConstantLoad(() => run(embed.verify, { ...pair, mark, maxFailed: 0 }));
  expect(verified).toMatchObject({ source: OBJECTS, dest: OBJECTS, failed: 0, recall: 1 });
});

test('an evaluation ends under constant live load, and reports that it yields', async () => {
  const { embed } = createActivities(deps);
  const [left, right] = [await givenObjects(), await givenObjects()];
  const [querySet, taskId] = [uniqueName('set'), uniqueName('task')];
  const queries = Array.from({ length: 30 }, (_, at) => ({ id: `q${at}`, text: `text ${at}`, relevant: [] }));
  await saveQuerySet(database.db, querySet, queries);
  const request = { left: left.name, right: right.name, querySet, k: 5, efSearch: [], maxMissing: 0.1, seed: 1 };
  const thresholds = thresholdsSchema.parse({});
  await beginEvaluation(database.db, { taskId, run: 'first', request: { ...request, thresholds } });
  const evaluated = await underConstantLoad(() => run(embed.evaluateQueries, taskId));
  expect(evaluated).toMatchObject({ done: 30, total: 30 });
  expect(evaluated.waits?.liveMs).toBeGreaterThan(0);
});

test('an audit ends under constant live load, and reports that it yields', async () => {
  const index = await auditedIndex(database.db);
  const items = Array.from({ length: OBJECTS }, (_, at) => ({ id: `d${at}`, payload: textOf(`d${at}`) }));
  await writeIn(database.db, index, await embedded(deps, index, items, 1));
  const waits: (ChunkWaits | undefined)[] = [];
  const { counts } = await underConstantLoad(() =>
    audit(deps, index.name, { onChunk: (chunk) => waits.push(chunk.waits) }),
  );
  expect(counts).toMatchObject({ objects: OBJECTS, found: {} });
  expect(Math.max(...waits.map((one) => one?.liveMs ?? 0))).toBeGreaterThan(0);
});
