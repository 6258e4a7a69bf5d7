import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ActivityDependencies } from '../../src/activities/dependencies.ts';
import { createGiveWay, mustGiveWay } from '../../src/activities/give-way.ts';
import { openDatabase } from '../../src/store/database.ts';
import { hasLiveWork } from '../../src/store/live-work.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';

const WRITE_MS = 30;
const SHARE = 0.25;

let database: TestDatabase;
let background: TestDatabase['db'];
beforeAll(async () => {
  database = await openPostgresDatabase();
  background = openDatabase({ url: database.url, background: true });
  // The migrations were live work.
  await vi.waitFor(async () => expect(await hasLiveWork(background, 1_000)).toBe(false), 20_000);
});
afterAll(async () => {
  await background?.destroy();
  await database?.close();
});

function dependencies({ db = database.db, copyShare = SHARE } = {}): ActivityDependencies {
  return { db, background, settings: { copyShare } } as ActivityDependencies;
}
const given = (...options: Parameters<typeof dependencies>) => createGiveWay(dependencies(...options));

/** Three writes asked for at once: when each began and ended, in the order of their beginnings. */
async function threeWrites(giveWay: ReturnType<typeof given>, signal = new AbortController().signal) {
  const times: { beganMs: number; endedMs: number }[] = [];
  const write = async () => {
    const beganMs = performance.now();
    await delay(WRITE_MS);
    times.push({ beganMs, endedMs: performance.now() });
  };
  await Promise.all([1, 2, 3].map(() => giveWay(signal, write)));
  return times.sort((one, other) => one.beganMs - other.beganMs);
}

/** Shares of the rest that follows each write but the last; negative where the next began before it had ended. */
const rests = (times: Awaited<ReturnType<typeof threeWrites>>) =>
  times.slice(1).map(({ beganMs }, at) => {
    const before = times[at] as (typeof times)[number];
    return (beganMs - before.endedMs) / (before.endedMs - before.beganMs);
  });

it('writes copies side by side while nobody else is at work', async () => {
  expect(Math.max(...rests(await threeWrites(given())))).toBeLessThan(0);
});

it('an HNSW index is built by all who can help while nobody else is at work', async () => {
  expect(await mustGiveWay(dependencies())).toBe(false);
});

describe('while others search and write', () => {
  it('an HNSW index is built by one process, unless copying gives no way either', async () => {
    const live = sql`select pg_sleep(0.5)`.execute(database.db);
    await vi.waitFor(async () => expect(await mustGiveWay(dependencies())).toBe(true), 10_000);
    expect(await mustGiveWay(dependencies({ copyShare: 1 }))).toBe(false);
    expect(await mustGiveWay(dependencies({ db: background }))).toBe(false);
    await live;
  });

  it('writes copies one after the other, with a rest that leaves them its share of the time', async () => {
    const live = sql`select pg_sleep(2)`.execute(database.db);
    await vi.waitFor(async () => expect(await hasLiveWork(background, 0)).toBe(true), 10_000);
    expect(Math.min(...rests(await threeWrites(given())))).toBeGreaterThan((1 / SHARE - 1) * 0.9);
    await live;
  });

  it('does not give way with a share of 1, nor without connections of its own', async () => {
    const live = sql`select pg_sleep(0.5)`.execute(database.db);
    await vi.waitFor(async () => expect(await hasLiveWork(background, 0)).toBe(true), 10_000);
    expect(Math.max(...rests(await threeWrites(given({ copyShare: 1 }))))).toBeLessThan(0);
    expect(Math.max(...rests(await threeWrites(given({ db: background }))))).toBeLessThan(0);
    await live;
  });

  it('rests for two seconds at most, and says how long it left room for live work', async () => {
    const live = sql`select pg_sleep(0.5)`.execute(database.db);
    await vi.waitFor(async () => expect(await hasLiveWork(background, 0)).toBe(true), 10_000);
    let waitedMs = 0;
    const write = () => delay(WRITE_MS);
    await given({ copyShare: 0.001 })(new AbortController().signal, write, (fromMs, toMs) => {
      waitedMs += toMs - fromMs;
    });
    expect(waitedMs).toBeGreaterThanOrEqual(2_000);
    expect(waitedMs).toBeLessThan((WRITE_MS / 0.001) * 0.9);
    await live;
  });

  it('begins no further write once it is told to stop', async () => {
    const live = sql`select pg_sleep(0.5)`.execute(database.db);
    await vi.waitFor(async () => expect(await hasLiveWork(background, 0)).toBe(true), 10_000);
    const stop = new AbortController();
    let writes = 0;
    const write = async () => {
      writes++;
      stop.abort(new Error('stopped'));
    };
    const giveWay = given();
    const outcomes = await Promise.allSettled([giveWay(stop.signal, write), giveWay(stop.signal, write)]);
    expect({ writes, last: outcomes[1]?.status }).toEqual({ writes: 1, last: 'rejected' });
    await live;
  });
});
