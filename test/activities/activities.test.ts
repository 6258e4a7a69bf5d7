import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { ActivityDependencies } from '../../src/activities/dependencies.ts';
import { createActivities } from '../../src/activities/index.ts';
import type { EmbedActivities } from '../../src/contract/activities.ts';
import type { Embedder } from '../../src/contract/embedder.ts';
import { ReembedError } from '../../src/contract/errors.ts';
import type { Payload } from '../../src/contract/objects.ts';
import { storedPayloads } from '../../src/pipeline/payload-memory.ts';
import { setAlias } from '../../src/store/aliases.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import { readBehind } from '../../src/store/protocol/copy.ts';
import { endDraining, setDraining } from '../../src/store/protocol/draining.ts';
import { requireLock } from '../../src/store/protocol/locks.ts';
import { listFailed, stageItems } from '../../src/store/staging.ts';
import { isVectorIndexReady } from '../../src/store/vector-index.ts';
import { content, createIndex, lockIn, rowOf, uniqueName, writeIn } from '../store/builders.ts';
import { openTransaction, untilWaiting } from '../store/concurrency.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { givenDependencies } from './dependencies.ts';

let database: TestDatabase;
let deps: ActivityDependencies;
let embed: Embedder['embed'] | undefined;
let activities: ReturnType<typeof createActivities>;

beforeAll(async () => {
  database = await openPostgresDatabase();
  deps = givenDependencies(database.db, () => embed);
  activities = createActivities(deps);
});
afterEach(() => {
  embed = undefined;
});
afterAll(() => database?.close());

async function countObjects(indexNo: number): Promise<number> {
  const { rows } = await sql<{ objects: number }>`
    select count(*) as objects from ${tablesOf(indexNo).objects}`.execute(database.db);
  return Number(rows[0]?.objects);
}

/** A locked pair with one object to copy. */
async function givenPair(over: { reuse?: boolean } = {}) {
  const { db } = database;
  const [source, dest] = [await createIndex(db), await createIndex(db)];
  const { lock, taskId, mark } = await lockIn(db, source.name, dest.name, over);
  await writeIn(db, source, [content('a', 1)]);
  const pair = { taskId, lock, sourceNo: source.no, destNo: dest.no, mark, batchSize: 10, ratePerSecond: null };
  return { source, dest, request: { ...pair, alias: null, drainSeconds: 1, mirror: null } };
}

test('a reindex knows whether it has cut over by the lock that it held', async () => {
  const { dest, request } = await givenPair();
  const { control, embed: embedding } = activities;
  const wasCutOver = () => new MockActivityEnvironment().run(control.wasCutOver, dest.no, request.lock);
  expect(await wasCutOver()).toBe(false);
  expect(await new MockActivityEnvironment().run(embedding.cutOver, request)).toMatchObject({ kind: 'done' });
  expect(await wasCutOver()).toBe(true);
  expect(await new MockActivityEnvironment().run(control.wasCutOver, dest.no, randomUUID())).toBe(false);
});

test.each([
  ['does not answer', async () => {}],
  [
    'asks for patience',
    async () => {
      throw new ReembedError('ModelRateLimited', 'slow down', { retryAfterMs: 30_000 });
    },
  ],
])('a provider that %s blocks writers no longer than allowed', async (_what, answer) => {
  const { source, request } = await givenPair();
  const { db } = database;
  let calls = 0;
  embed = async (texts, { signal } = { purpose: 'document' }) => {
    // The pass before draining may run; what is written then is left for draining.
    if (++calls === 1) {
      await writeIn(db, source, [content('b', 2)]);
      return texts.map(() => [1, 2, 3]);
    }
    expect(await requireLock(db, request.lock)).toMatchObject({ draining: true });
    await answer();
    // Longer than the test may last.
    await delay(600_000, undefined, { signal });
    return [];
  };
  const cutOver = new MockActivityEnvironment().run(activities.embed.cutOver, request);
  const outcome = (await cutOver) as Awaited<ReturnType<EmbedActivities['cutOver']>>;
  expect(outcome).toMatchObject({ kind: 'notYet' });
  expect(outcome.drainMs).toBeLessThan(90_000);
  expect(outcome.mark).toBeGreaterThan(request.mark);
  expect(await requireLock(db, request.lock)).toMatchObject({ draining: false });
});

test('a cut-over blocks writers by a short lease, and renews it while it is busy', async () => {
  const { source, request } = await givenPair();
  const { db } = database;
  const until = async () => {
    const { rows } = await sql<{ until: Date | null; seconds: number }>`
      select draining_until as until, extract(epoch from draining_until - clock_timestamp())::float8 as seconds
      from reembed.reindex_locks where lock = ${request.lock}::uuid`.execute(db);
    return rows[0] ?? { until: null, seconds: 0 };
  };
  let calls = 0;
  embed = async (texts) => {
    if (++calls === 1) await writeIn(db, source, [content('b', 2)]);
    else {
      const first = await until();
      expect(first.seconds).toBeLessThan(1);
      await vi.waitFor(async () => expect((await until()).until).not.toEqual(first.until), 90_000);
      expect((await until()).seconds).toBeLessThan(1);
    }
    return texts.map((_, at) => [at + 1, 2, 3]);
  };
  const cutOver = new MockActivityEnvironment().run(activities.embed.cutOver, { ...request, drainSeconds: 60 });
  expect(await cutOver).toMatchObject({ kind: 'done' });
  expect(calls).toBe(2);
});

interface WriteOne {
  isLocal?: boolean;
  ids?: string[];
  payload?: Payload;
  version?: number;
  originalId?: string;
}

/** Writes an object `b`, or others, staged for the index; within a workflow task if `isLocal`. */
async function writeOne(
  index: string,
  { isLocal = false, ids = ['b'], payload = 'text' as Payload, version = 2, ...more }: WriteOne = {},
) {
  const staging = uniqueName('staging');
  await stageItems(
    database.db,
    staging,
    0,
    ids.map((id) => ({ id, payload, ...more })),
  );
  const request = {
    taskId: staging,
    staging,
    kind: 'upsert' as const,
    index,
    version,
    fromSeq: 0,
    toSeq: ids.length,
    onReindex: 'forward' as const,
    triedBefore: false,
    onlyFailed: false,
    isWhole: isLocal,
  };
  const write = async () => {
    const written = new MockActivityEnvironment({ isLocal }).run(activities.control.writeChunk, request);
    return (await written) as Awaited<ReturnType<EmbedActivities['writeChunk']>>;
  };
  const staged = async () => {
    const { rows } = await sql`select from reembed.staged_items where staging = ${staging}`.execute(database.db);
    return rows.length;
  };
  return { write, staged };
}

test.each([
  ['has waited and was deleted since', async () => {}, 0],
  [
    'the model refuses and was deleted meanwhile',
    async (texts: readonly string[]) => {
      if (texts[0] !== 'hello') throw new ReembedError('ModelRejectedInput', 'refused');
    },
    2,
  ],
])('an item that %s is stale, and passes on a later deletion of its original', async (_what, answer, calls) => {
  const { db } = database;
  const index = await createIndex(db);
  let asked = 0;
  const deleteB = () => writeIn(db, index, [{ kind: 'tombstone', id: 'b', version: 5 }]);
  if (calls === 0) await deleteB();
  embed = async (texts) => {
    if (asked++ === 0) await deleteB();
    await answer(texts);
    return texts.map(() => [1, 2, 3]);
  };
  const { write } = await writeOne(index.name, { originalId: 'a' });
  expect(await write()).toMatchObject({ counts: { written: 0, stale: 1, failed: 0 } });
  expect(asked).toBe(calls);
  expect(await rowOf(db, index.no, 'b')).toMatchObject({ deleted: true, version: 5, originalId: 'a' });
});

test('a write of the same text stores the other fields of its payload and calls no model', async () => {
  const { db } = database;
  const index = await createIndex(db, { splitter: { chunkSize: 500, chunkOverlap: 0, fields: ['title'] } });
  const asked: string[] = [];
  embed = async (texts) => {
    asked.push(...texts);
    return texts.map(() => [1, 2, 3]);
  };
  const write = async (payload: Payload, version: number) => (await writeOne(index.name, { payload, version })).write();
  expect(await write({ title: 'a lamp', views: 1 }, 2)).toMatchObject({ counts: { written: 1, unchanged: 0 } });
  expect(await write({ title: 'a lamp', views: 2 }, 3)).toMatchObject({ counts: { written: 1, unchanged: 1 } });
  expect(await rowOf(db, index.no, 'b')).toMatchObject({ version: 3, payload: { title: 'a lamp', views: 2 } });
  expect(asked).toEqual(['a lamp']);
  expect(await write({ title: 'a lantern', views: 2 }, 4)).toMatchObject({ counts: { written: 1, unchanged: 0 } });
  expect(asked).toEqual(['a lamp', 'a lantern']);
});

test('a small write never waits for the memory of large ones, and a large write does', async () => {
  const { db } = database;
  const index = await createIndex(db);
  embed = async (texts) => texts.map(() => [1, 2, 3]);
  const small = await writeOne(index.name);
  const large = await writeOne(index.name, { payload: randomBytes(1_000_000).toString('base64'), version: 3 });
  const memory = await storedPayloads.hold(48 * 1024 * 1024);
  try {
    expect(await small.write()).toMatchObject({ counts: { written: 1 } });
    let isWritten = false;
    const writing = large.write().then((written) => {
      isWritten = true;
      return written;
    });
    expect(await small.write()).toMatchObject({ counts: { unchanged: 1 } });
    expect(isWritten).toBe(false);
    memory.release();
    expect(await writing).toMatchObject({ counts: { written: 1 } });
  } finally {
    memory.release();
  }
});

test('a small write is forwarded immediately where the model of the index being built is fast', async () => {
  const { source, dest } = await givenPair();
  const { write, staged } = await writeOne(source.name, { isLocal: true });
  expect(await write()).toMatchObject({ counts: { written: 1 }, forwards: [], forwarded: 1, isDropped: true });
  expect(await rowOf(database.db, dest.no, 'b')).toMatchObject({ version: 2 });
  expect(await staged()).toBe(0);
  // Of a worker that died before it could report it:
  expect(await write()).toMatchObject({ counts: { written: 1 }, forwards: [], isDropped: true });
});

test('a small write leaves a slow forward to a separate activity', async () => {
  const { source, dest } = await givenPair({ reuse: false });
  const { write, staged } = await writeOne(source.name, { isLocal: true });
  let calls = 0;
  embed = async (texts, { signal }) => {
    if (++calls > 1) await delay(60_000, undefined, { signal });
    return texts.map(() => [1, 2, 3]);
  };
  const { isDropped, forwarded, forwards } = await write();
  expect({ isDropped, forwarded, forwards: forwards.length }).toEqual({ isDropped: false, forwards: 1 });
  expect(await rowOf(database.db, source.no, 'b')).toMatchObject({ version: 2 });
  expect(await rowOf(database.db, dest.no, 'b')).toBeUndefined();
  expect(await staged()).toBe(1);
});

test('a write reports how long a cut-over delayed it', async () => {
  const { source, request } = await givenPair();
  const { db } = database;
  const { write } = await writeOne(source.name);
  await setDraining(db, request.lock, 60);
  const held = await write();
  expect(held).toMatchObject({ nextSeq: 0, blocked: { kind: 'draining' } });
  expect(held.heldBackMs).toBeGreaterThan(0);
  await endDraining(db, request.lock);
  expect(await write()).toMatchObject({ nextSeq: 1, blocked: null, heldBackMs: 0, counts: { written: 1 } });
});

test('an alias that is switched between two batches of a write is followed', async () => {
  const { db } = database;
  const [first, second] = [await createIndex(db), await createIndex(db)];
  const alias = uniqueName('alias');
  await setAlias(db, alias, first.name);
  const ids = Array.from({ length: 1_000 }, (_, at) => `o${at}`);
  const { write } = await writeOne(alias, { ids });
  let calls = 0;
  embed = async (texts) => {
    if ((await countObjects(first.no)) > 0 && calls++ === 0) {
      await setAlias(db, alias, second.name, { force: true });
    }
    return texts.map(() => [1, 2, 3]);
  };
  expect(await write()).toMatchObject({ nextSeq: 1_000, counts: { written: 1_000 } });
  const [atFirst, atSecond] = [await countObjects(first.no), await countObjects(second.no)];
  expect({ isSplit: atFirst > 0 && atSecond > 0, all: atFirst + atSecond }).toEqual({ isSplit: true, all: 1_000 });
});

test('an object that is copied later is no longer on the failed list', async () => {
  const { request } = await givenPair();
  const { db } = database;
  embed = async (texts) => {
    if (texts[0] !== 'hello') throw new ReembedError('ModelRejectedInput', 'I cannot read this');
    return texts.map(() => [1, 2, 3]);
  };
  const slice = { ...request, after: null, until: null };
  const copy = () => new MockActivityEnvironment().run(activities.embed.copySlice, slice);
  const failed = () => listFailed(db, request.taskId, { after: null, limit: 10 });
  expect(await copy()).toMatchObject({ counts: { failed: 1 } });
  expect(await failed()).toMatchObject([{ objectId: 'a' }]);
  embed = undefined;
  expect(await copy()).toMatchObject({ counts: { copied: 1, failed: 0 } });
  expect(await failed()).toEqual([]);
  expect(await readBehind(db, request, { after: null, until: null }, 10)).toEqual({ objects: [], more: false });
});

test('a try of a hand-started write that fails late keeps the staged items of the next try', async () => {
  const { db } = database;
  const index = await createIndex(db);
  const taskId = uniqueName('task');
  const items = [{ id: 'a', payload: 'text' }];
  const input = { index: index.name, items };
  const request = { taskId, chain: 'start', type: 'upsert' as const, input, version: null, again: false };
  await new MockActivityEnvironment().run(activities.control.admit, request);
  const broken = createActivities({
    ...deps,
    db: db.withPlugin({
      transformQuery({ node }) {
        const statement = db.getExecutor().compileQuery(node, { queryId: 'staging' }).sql;
        if (/insert into reembed.staged_items/.test(statement)) throw new Error('the connection broke');
        return node;
      },
      transformResult: async ({ result }) => result,
    }),
  });
  const late = new MockActivityEnvironment().run(broken.control.admit, request);
  await expect(late).rejects.toThrow('the connection broke');
  const { rows } = await sql`select seq from reembed.staged_items where staging = ${`${taskId}/start`}`.execute(db);
  expect(rows).toHaveLength(1);
});

test('a build waits for another build of the HNSW index, and ends with its activity', async () => {
  const { db } = database;
  const index = await createIndex(db);
  await writeIn(db, index, [content('a', 1)]);
  const { parts } = tablesOf(index.no);
  const old = await openTransaction(db, (trx) => sql`lock table ${parts} in row exclusive mode`.execute(trx));
  const [first, second] = [new MockActivityEnvironment(), new MockActivityEnvironment()];
  const building = first.run(activities.embed.buildVectorIndex, index.no);
  building.catch(() => {});
  await untilWaiting(db, 1);
  const waiting = second.run(activities.embed.buildVectorIndex, index.no);
  await delay(300);
  first.cancel();
  await expect(building).rejects.toMatchObject({ name: 'CancelledFailure' });
  await old.commit();
  await waiting;
  expect(await isVectorIndexReady(db, index)).toBe(true);
});
