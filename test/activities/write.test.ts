import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import type { EmbedActivities } from '../../src/contract/activities.ts';
import { ReembedError } from '../../src/contract/errors.ts';
import type { Payload } from '../../src/contract/objects.ts';
import { storedPayloads } from '../../src/pipeline/payload-memory.ts';
import { setAlias } from '../../src/store/aliases.ts';
import { endDraining, setDraining } from '../../src/store/protocol/draining.ts';
import { stageItems } from '../../src/store/staging.ts';
import { createIndex, rowOf, uniqueName, writeIn } from '../store/builders.ts';
import { countObjects, givenPair, useActivities } from './world.ts';

const world = useActivities();

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
    world.db,
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
    const written = new MockActivityEnvironment({ isLocal }).run(world.activities.control.writeChunk, request);
    return (await written) as Awaited<ReturnType<EmbedActivities['writeChunk']>>;
  };
  const staged = async () => {
    const { rows } = await sql`select from reembed.staged_items where staging = ${staging}`.execute(world.db);
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
  const { db } = world;
  const index = await createIndex(db);
  let asked = 0;
  const deleteB = () => writeIn(db, index, [{ kind: 'tombstone', id: 'b', version: 5 }]);
  if (calls === 0) await deleteB();
  world.embed = async (texts) => {
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
  const { db } = world;
  const index = await createIndex(db, { splitter: { chunkSize: 500, chunkOverlap: 0, fields: ['title'] } });
  const asked: string[] = [];
  world.embed = async (texts) => {
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
  const { db } = world;
  const index = await createIndex(db);
  world.embed = async (texts) => texts.map(() => [1, 2, 3]);
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
  const { source, dest } = await givenPair(world.db);
  const { write, staged } = await writeOne(source.name, { isLocal: true });
  expect(await write()).toMatchObject({ counts: { written: 1 }, forwards: [], forwarded: 1, isDropped: true });
  expect(await rowOf(world.db, dest.no, 'b')).toMatchObject({ version: 2 });
  expect(await staged()).toBe(0);
  // Of a worker that died before it could report it:
  expect(await write()).toMatchObject({ counts: { written: 1 }, forwards: [], isDropped: true });
});

test('a small write leaves a slow forward to a separate activity', async () => {
  const { source, dest } = await givenPair(world.db, { reuse: false });
  const { write, staged } = await writeOne(source.name, { isLocal: true });
  let calls = 0;
  world.embed = async (texts, { signal }) => {
    if (++calls > 1) await delay(60_000, undefined, { signal });
    return texts.map(() => [1, 2, 3]);
  };
  const { isDropped, forwarded, forwards } = await write();
  expect({ isDropped, forwarded, forwards: forwards.length }).toEqual({ isDropped: false, forwards: 1 });
  expect(await rowOf(world.db, source.no, 'b')).toMatchObject({ version: 2 });
  expect(await rowOf(world.db, dest.no, 'b')).toBeUndefined();
  expect(await staged()).toBe(1);
});

test('a write reports how long a cut-over delayed it', async () => {
  const { source, request } = await givenPair(world.db);
  const { db } = world;
  const { write } = await writeOne(source.name);
  await setDraining(db, request.lock, 60);
  const held = await write();
  expect(held).toMatchObject({ nextSeq: 0, blocked: { kind: 'draining' } });
  expect(held.heldBackMs).toBeGreaterThan(0);
  await endDraining(db, request.lock);
  expect(await write()).toMatchObject({ nextSeq: 1, blocked: null, heldBackMs: 0, counts: { written: 1 } });
});

test('an alias that is switched between two batches of a write is followed', async () => {
  const { db } = world;
  const [first, second] = [await createIndex(db), await createIndex(db)];
  const alias = uniqueName('alias');
  await setAlias(db, alias, first.name);
  const ids = Array.from({ length: 1_000 }, (_, at) => `o${at}`);
  const { write } = await writeOne(alias, { ids });
  let calls = 0;
  world.embed = async (texts) => {
    if ((await countObjects(db, first.no)) > 0 && calls++ === 0) {
      await setAlias(db, alias, second.name, { force: true });
    }
    return texts.map(() => [1, 2, 3]);
  };
  expect(await write()).toMatchObject({ nextSeq: 1_000, counts: { written: 1_000 } });
  const [atFirst, atSecond] = [await countObjects(db, first.no), await countObjects(db, second.no)];
  expect({ isSplit: atFirst > 0 && atSecond > 0, all: atFirst + atSecond }).toEqual({ isSplit: true, all: 1_000 });
});
