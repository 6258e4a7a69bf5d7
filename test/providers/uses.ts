import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { type ModelConfig, modelSchema } from '../../src/contract/models.ts';
import { QUERY } from '../../src/contract/names.ts';
import type { TaskStatus } from '../../src/contract/status.ts';
import type { Tracker } from '../../src/contract/tasks.ts';
import type { WaitsFor } from '../../src/contract/waits.ts';
import type { Models } from '../../src/models/models.ts';
import { listAliases } from '../../src/store/aliases.ts';
import type { Db } from '../../src/store/database.ts';
import { findIndex } from '../../src/store/indexes.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import { listFailed } from '../../src/store/staging.ts';
import { restartTask, resumeTask } from '../../src/temporal/index.ts';
import { call, testApi } from '../api/support.ts';
import { givenIndex, type Rig } from '../support/rig.ts';
import { DIMENSIONS, type Provider, type Use, vectorOf } from './provider.ts';
import type { Outcome, Row } from './rows.ts';

export interface World {
  rig: Rig;
  db: Db;
  provider: Provider;
  models: Models;
  /** When each model was first called, by its name. */
  askedMs: ReadonlyMap<string, number>;
}

const TEXTS: Readonly<Record<string, string>> = {
  ...{ cat: 'a cat sleeps', dog: 'dogs run far', poison: 'the poison of snakes' },
  ...{ car: 'fast red cars', sea: 'the sea is deep', ünï: 'naïve “Ünïcode” 日本語 🦁' },
};
const items = () => Object.entries(TEXTS).map(([id, payload]) => ({ id, payload }));

/** Calls by which a reindex asks whether the model works: two when it begins, one of them in the table, two at its end. */
const CHECKS = 3;
/** Max time from the first call until the tracker shows what is waited for. */
const TOLD_MS = 5_000;
const LOOK_MS = 100;
const MAX_MS = 60_000;
const ENDED: readonly TaskStatus[] = ['done', 'failed', 'exhausted', 'refused', 'canceled', 'ignored', 'paused'];

/** An upsert of a few objects into an index whose model has a bad day. */
export async function writeOn(world: World, row: Row, id: string): Promise<void> {
  const { rig, db, provider } = world;
  const index = `${id}-write`;
  const use = provider.use(index, row.day());
  await givenIndex(db, index, { config: { model: modelOf(row, index, use) } });
  const handle = await rig.start('upsert', { index, items: items() }, index);
  await follow(world, { handle, use, expected: row.write, index });
}

/** A reindex of a few objects to a model that has a bad day, while a healthy index serves. */
export async function reindexOn(world: World, row: Row, id: string): Promise<void> {
  const { rig, db, provider } = world;
  const [source, alias, dest] = [`${id}-source`, `${id}-alias`, `${id}-dest`];
  const use = provider.use(dest, row.day());
  await givenIndex(db, source, { alias });
  await rig.run('upsert', { index: source, items: items() });
  const destModel = modelOf(row, dest, use);
  const handle = await rig.start('reindex', { source: alias, dest, destModel, maxFailed: 3 }, `${id}-reindex`);
  await follow(world, { handle, use, expected: row.reindex, index: dest, alias: { alias, source } });
}

/** A search for a text in an index whose model has a bad day. */
export async function searchOn({ db, provider, models }: World, row: Row, id: string): Promise<void> {
  const index = `${id}-search`;
  const use = provider.use(index, row.day());
  await givenIndex(db, index, { config: { model: modelOf(row, index, use) } });
  const search = (timeoutSeconds: number) =>
    call(testApi(db, { models }), 'POST', `/v1/indexes/${index}/search`, { text: TEXTS.poison, timeoutSeconds });
  const answer = await search(row.search === 'SearchTimeout' ? 1 : 30);
  if (row.search === null) expect(answer).toMatchObject({ status: 200, body: { hits: [], complete: true } });
  else expect(answer.body).toMatchObject({ type: expect.stringMatching(`:${row.search}$`) });
  expect(use.calls.length, 'calls').toBeLessThanOrEqual(4);
}

interface Followed {
  handle: WorkflowHandle;
  use: Use;
  expected: Outcome;
  /** Where the objects are in the end. */
  index: string;
  /** Of a reindex. */
  alias?: { alias: string; source: string };
}

async function follow(world: World, followed: Followed): Promise<void> {
  const { handle, use, expected, alias } = followed;
  try {
    if (expected.ends === 'waits') await expectWaiting(world, followed);
    if (expected.ends === 'stops') await expectStopped(world, followed);
    if (alias && expected.ends !== 'stored') {
      expect(await listAliases(world.db)).toContainEqual({ alias: alias.alias, index: alias.source });
    }
    if (expected.ends === 'stored') await ended(handle);
    const mostCalls = expected.calls + (alias && expected.ends === 'stored' ? CHECKS : 0);
    expect(use.calls.length, `calls of ${textsOf(use)} texts`).toBeLessThanOrEqual(mostCalls);
    if (expected.ends === 'waits' && expected.lasts) return;
    if (expected.ends !== 'stored') await goOn(world, followed);
    await expectStored(world, followed);
  } finally {
    await handle.terminate().catch(() => {}); // most have ended
  }
}

/** The tracker shows in time what is waited for and since when. */
async function expectWaiting({ askedMs }: World, { handle, index, expected }: Followed): Promise<void> {
  const startMs = Date.now();
  const { tracker, lostMs } = await trackerOf(handle, ({ data }) => data.waitsFor !== undefined);
  const toldMs = Date.now() - (askedMs.get(index) ?? startMs) - lostMs;
  const waits = tracker.data.waitsFor as unknown as WaitsFor;
  expect(tracker.status).toBe('processing');
  expect(waits, waits.message).toMatchObject({ reason: expected.ends === 'waits' && expected.because });
  expect(waits.message).not.toBe('');
  expect(tracker.detail).toContain(`waiting since ${waits.since} because of ${waits.reason}: ${waits.message}`);
  expect(Date.parse(waits.since)).toBeGreaterThanOrEqual(startMs - 1_000);
  if (waits.nextTry !== null) expect(Date.parse(waits.nextTry)).toBeGreaterThanOrEqual(Date.parse(waits.since));
  expect(toldMs, 'ms until it was told').toBeLessThan(TOLD_MS);
}

/** Only a person can help: the tracker shows why. */
async function expectStopped({ db }: World, { handle, expected, index, alias }: Followed): Promise<void> {
  if (expected.ends !== 'stops') return;
  const tracker = await ended(handle);
  expect(tracker.errors[0]).toMatchObject({ type: expected.because });
  const isHeld = alias !== undefined && expected.fails !== true;
  expect(tracker.status).toBe(isHeld ? 'paused' : 'failed');
  expect(await vectorsIn(db, index)).toEqual({});
}

/** The provider works again. */
async function goOn({ rig: { client } }: World, { handle, use, expected }: Followed): Promise<void> {
  use.mend();
  const { status } = await handle.query<Tracker>(QUERY.tracker);
  if (status === 'failed') await restartTask(client, handle.workflowId);
  if (status === 'paused' || (expected.ends === 'waits' && expected.resume)) {
    await resumeTask(client, handle.workflowId);
  }
}

/** Each object has its own vector, or is on the failed list. */
async function expectStored({ db, rig }: World, { handle, expected, index, alias, use }: Followed): Promise<void> {
  const last = rig.client.workflow.getHandle(handle.workflowId);
  const tracker = await ended(last);
  expect(tracker, `after calls of ${textsOf(use)} texts`).toMatchObject({
    status: 'done',
    attempts: expect.any(Number),
  });
  const wanted = expected.ends === 'stored' ? (expected.failed ?? {}) : {};
  const failed = await listFailed(db, handle.workflowId, { after: null, limit: 10 });
  expect(Object.fromEntries(failed.map(({ objectId, reason }) => [objectId, reason]))).toEqual(wanted);
  for (const { stage, detail } of failed) expect([stage, detail === '']).toEqual(['embed', false]);
  expect(tracker.progress).toMatchObject({ total: items().length, failed: failed.length });
  const vectors = await vectorsIn(db, index);
  const right = Object.entries(TEXTS).filter(([id]) => !(id in wanted));
  expect(Object.keys(vectors).sort()).toEqual(right.map(([id]) => id).sort());
  for (const [id, text] of right) if (!expected.odd?.includes(id)) expect(vectors[id]).toEqual(vectorOf(text));
  if (alias) expect(await listAliases(db)).toContainEqual({ alias: alias.alias, index });
}

function modelOf(row: Row, name: string, use: Use): ModelConfig {
  const baseUrl = row.baseUrl === 'nobody listens' ? use.closedUrl : (row.baseUrl ?? use.baseUrl);
  return modelSchema.parse({ provider: 'openai', name, dimensions: DIMENSIONS, baseUrl, ...row.config });
}

const textsOf = ({ calls }: Use) => calls.map(({ texts }) => texts.length).join(', ');

const ended = async (handle: WorkflowHandle) =>
  (await trackerOf(handle, ({ status }) => ENDED.includes(status))).tracker;

/** `lostMs`: by how much the looks at it came later than they should, on a machine with too much to do. */
async function trackerOf(
  handle: WorkflowHandle,
  fits: (tracker: Tracker) => boolean,
): Promise<{ tracker: Tracker; lostMs: number }> {
  let lostMs = 0;
  for (const endMs = Date.now() + MAX_MS; ; ) {
    const lookMs = Date.now();
    const tracker = await handle.query<Tracker>(QUERY.tracker);
    if (fits(tracker)) return { tracker, lostMs };
    const isOver = ENDED.includes(tracker.status) || Date.now() > endMs;
    if (isOver) throw new Error(`the tracker never fitted: ${JSON.stringify(tracker)}`);
    await delay(LOOK_MS);
    lostMs += Math.max(0, Date.now() - lookMs - 2 * LOOK_MS);
  }
}

/** For each object the vector of its only part. */
async function vectorsIn(db: Db, name: string): Promise<Record<string, number[]>> {
  const index = await findIndex(db, name);
  if (!index) return {};
  const { rows } = await sql<{ object_id: string; embedding: string }>`
    select object_id, embedding::text
    from ${tablesOf(index.no).parts}`.execute(db);
  return Object.fromEntries(rows.map(({ object_id: id, embedding }) => [id, JSON.parse(embedding)]));
}
