import { setTimeout as delay } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { copySlice, type SliceProgress } from '../../src/activities/copy-slice.ts';
import type { Running } from '../../src/activities/support/heartbeat.ts';
import { atOnce, type Yielding } from '../../src/activities/support/yield-to-live-traffic.ts';
import type { Embedder } from '../../src/contract/embedder.ts';
import { ReembedError } from '../../src/contract/errors.ts';
import type { ModelConfig } from '../../src/contract/models.ts';
import { content, createIndex, liveIds, lockIn, tombstone, writeIn } from '../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { givenDependencies } from './dependencies.ts';

let database: TestDatabase;
let embed: Embedder['embed'] | undefined;
beforeAll(async () => {
  database = await openPostgresDatabase();
});
afterEach(() => {
  embed = undefined;
});
afterAll(() => database?.close());

/** A slice with this number of objects, one per batch by default, and the heartbeats of its activity. */
async function givenSlice(
  objects: number,
  inFlight: number,
  { deleted = 0, rate = null as number | null, yielding = atOnce, batchSize = 1, maxTexts = 256 } = {},
) {
  const { db } = database;
  const [source, dest] = [await createIndex(db), await createIndex(db)];
  const { lock, taskId } = await lockIn(db, source.name, dest.name);
  const ids = Array.from({ length: objects }, (_, at) => `id-${at}`);
  await writeIn(
    db,
    source,
    ids.map((id) => content(id, 1)),
  );
  if (deleted > 0)
    await writeIn(
      db,
      source,
      ids.slice(0, deleted).map((id) => tombstone(id, 2)),
    );
  const pair = { taskId, lock, sourceNo: source.no, destNo: dest.no };
  const request = { ...pair, after: null, until: null, batchSize, inFlight, ratePerSecond: rate };
  const beats: SliceProgress[] = [];
  const canceled = new AbortController();
  const running: Running<SliceProgress> = {
    signal: canceled.signal,
    resumedFrom: undefined,
    beat: ({ counts, cursor }) => void beats.push({ counts: { ...counts }, cursor }),
    isTimeUp: () => false,
  };
  const usual = givenDependencies(db, () => embed);
  const deps = {
    ...usual,
    models: { embedder: (config: ModelConfig) => ({ ...usual.models.embedder(config), maxTexts }) },
  };
  const copy = (given: Partial<Running<SliceProgress>> = {}) =>
    new MockActivityEnvironment().run(() => copySlice(deps, yielding, request, { ...running, ...given })) as Promise<
      Awaited<ReturnType<typeof copySlice>>
    >;
  return { copy, beats, cancel: () => canceled.abort(), copied: () => liveIds(db, dest.no) };
}

const vectors = (texts: readonly string[]) => texts.map(() => [1, 2, 3]);

/** A model that answers for an object when the test allows it. */
function heldModel() {
  const asked: string[] = [];
  const answers = new Map<string, () => void>();
  embed = async (texts, { signal } = { purpose: 'document' }) => {
    const [text = ''] = texts;
    asked.push(text);
    await new Promise<void>((resolve, reject) => {
      answers.set(text, resolve);
      signal?.addEventListener('abort', () => reject(signal.reason));
    });
    return vectors(texts);
  };
  return {
    asked,
    /** Answers the texts that it was asked for so far. */
    answer: (about: (text: string) => boolean) => {
      for (const [text, give] of answers) if (about(text)) give();
    },
    untilAsked: (times: number) => vi.waitFor(() => expect(asked).toHaveLength(times), 90_000),
  };
}

test.each([1, 3])('%i batches of a slice are embedded at once, and no more', async (inFlight) => {
  const { copy, copied } = await givenSlice(7, inFlight);
  let [running, most] = [0, 0];
  let isFull = () => {};
  const full = new Promise<void>((resolve) => {
    isFull = resolve;
  });
  embed = async (texts) => {
    most = Math.max(most, ++running);
    if (running >= inFlight) isFull();
    await full;
    await delay(20); // for one more, which would be one too many
    running--;
    return vectors(texts);
  };
  expect(await copy()).toEqual({
    counts: { copied: 7, tombstones: 0, failed: 0, reused: 0 },
    cursor: 'id-6',
    done: true,
    failedBatches: 0,
    waitedMs: 0,
    waits: { ranMs: expect.any(Number), liveMs: 0, rateMs: 0, modelMs: 0 },
  });
  expect(most).toBe(inFlight);
  expect(await copied()).toHaveLength(7);
});

test('a batch of deletions only is copied', async () => {
  const { copy, copied } = await givenSlice(3, 1, { deleted: 2 });
  embed = async (texts) => vectors(texts);
  expect(await copy()).toMatchObject({ counts: { copied: 1, tombstones: 2, failed: 0 }, done: true });
  expect(await copied()).toEqual(['id-2']);
});

test('the cursor passes no unfinished batch, so that a try that continues from it copies everything', async () => {
  const { copy, beats, cancel, copied } = await givenSlice(3, 3);
  const model = heldModel();
  const broken = copy();
  broken.catch(() => {});
  await model.untilAsked(3);
  model.answer((text) => text !== 'id-0@1');
  await vi.waitFor(() => expect(beats).toHaveLength(2), 90_000);
  expect(beats.at(-1)).toEqual({ counts: { copied: 2, tombstones: 0, failed: 0, reused: 0 }, cursor: null });
  cancel();
  await expect(broken).rejects.toThrow('aborted');
  expect(await copied()).toEqual(['id-1', 'id-2']);
  embed = async (texts) => vectors(texts);
  const signal = new AbortController().signal;
  const goneOn = await copy({ signal, resumedFrom: beats.at(-1) });
  expect(goneOn).toEqual({
    counts: { copied: 3, tombstones: 0, failed: 0, reused: 0 },
    cursor: 'id-0',
    done: true,
    failedBatches: 0,
    waitedMs: 0,
    waits: { ranMs: expect.any(Number), liveMs: 0, rateMs: 0, modelMs: 0 },
  });
  expect(await copied()).toEqual(['id-0', 'id-1', 'id-2']);
});

test('a slow batch does not stop others from starting, up to a limit', async () => {
  const { copy, copied } = await givenSlice(12, 2);
  const model = heldModel();
  const copying = copy();
  await model.untilAsked(2);
  for (let asked = 2; asked <= 8; asked++) {
    await model.untilAsked(asked);
    model.answer((text) => text !== 'id-0@1');
  }
  await vi.waitFor(async () => expect(await copied()).toHaveLength(7), 90_000);
  await delay(100);
  expect(model.asked).toHaveLength(8);
  embed = async (texts) => vectors(texts);
  model.answer(() => true);
  expect(await copying).toMatchObject({ counts: { copied: 12 }, cursor: 'id-9', done: true });
});

test('a slice at its time limit finishes the started batches and returns the cursor behind them', async () => {
  const { copy, copied } = await givenSlice(5, 2);
  let looks = 0;
  expect(await copy({ isTimeUp: () => ++looks > 3 })).toMatchObject({ cursor: 'id-2', done: false });
  expect(await copied()).toEqual(['id-0', 'id-1', 'id-2']);
});

test('a failed batch lets started ones finish and count, and nothing is written afterwards', async () => {
  const { copy, beats, copied } = await givenSlice(5, 3);
  embed = async (texts) => {
    if (texts[0]?.includes('id-0')) throw new ReembedError('ModelUnauthorized', 'who are you?');
    await delay(300);
    return vectors(texts);
  };
  await expect(copy()).rejects.toMatchObject({ type: 'ModelUnauthorized' });
  expect(await copied()).toEqual(['id-1', 'id-2']);
  expect(beats.at(-1)).toEqual({ counts: { copied: 2, tombstones: 0, failed: 0, reused: 0 }, cursor: null });
  await delay(400);
  expect(await copied()).toHaveLength(2);
});

test('a slice whose time is up before it has read its first batch still copies this batch', async () => {
  const { copy, copied } = await givenSlice(3, 1);
  expect(await copy({ isTimeUp: () => true })).toMatchObject({ counts: { copied: 1 }, cursor: 'id-0', done: false });
  expect(await copied()).toEqual(['id-0']);
});

test('a slice tells how long live work, its rate and the limit of the model held it up', async () => {
  const yielding: Yielding = async (_signal, write, onWait) => {
    const [fromMs, result] = [performance.now(), await write()];
    onWait?.(fromMs, performance.now());
    return result;
  };
  const { copy } = await givenSlice(2, 1, { rate: 1, yielding });
  embed = async (texts, options) => {
    options?.onHold?.(new ReembedError('ModelRateLimited', 'asked to slow down'), 60_000);
    return vectors(texts);
  };
  const { waits, waitedMs } = await copy();
  expect(waits.liveMs).toBeGreaterThan(0);
  expect(waits.rateMs).toBeGreaterThan(0);
  // More than the time that it ran would be a share above one.
  expect(waits.modelMs).toBe(waits.ranMs);
  expect(waitedMs).toBe(waits.liveMs);
});

test('what the model has answered of a batch is written before it has answered the rest', async () => {
  const { copy, copied } = await givenSlice(3, 1, { batchSize: 3, maxTexts: 1 });
  const model = heldModel();
  const copying = copy();
  await model.untilAsked(2);
  model.answer((text) => text === 'id-1@1');
  await vi.waitFor(async () => expect(await copied()).toEqual(['id-1']), 90_000);
  await model.untilAsked(3);
  model.answer(() => true);
  expect(await copying).toMatchObject({ counts: { copied: 3 }, cursor: 'id-2', done: true });
  expect(await copied()).toEqual(['id-0', 'id-1', 'id-2']);
});
