import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ActivityDependencies } from '../../../src/activities/dependencies.ts';
import { createYielding, mustYield } from '../../../src/activities/support/yield-to-live-traffic.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { hasLiveWork } from '../../../src/store/live-traffic.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';

const WRITE_MS = 30;
const SHARE = 0.25;

let database: TestDatabase;
let background: TestDatabase['db'];
beforeAll(async () => {
  database = await openPostgresDatabase();
  background = openDatabase({ url: database.url, background: true });
  // The migrations were live traffic.
  await vi.waitFor(async () => expect(await hasLiveWork(background, 90_000)).toBe(false), 90_000);
});
afterAll(async () => {
  await background?.destroy();
  await database?.close();
});

function dependencies({ db = database.db, copyShare = SHARE } = {}): ActivityDependencies {
  return { db, background, settings: { copyShare } } as ActivityDependencies;
}
const given = (...options: Parameters<typeof dependencies>) => createYielding(dependencies(...options));

/** Three concurrent writes: when each started and ended, in order of their starts. */
async function threeWrites(yielding: ReturnType<typeof given>, signal = new AbortController().signal) {
  const times: { beganMs: number; endedMs: number }[] = [];
  const write = async () => {
    const beganMs = performance.now();
    await delay(WRITE_MS);
    times.push({ beganMs, endedMs: performance.now() });
  };
  await Promise.all([1, 2, 3].map(() => yielding(signal, write)));
  return times.sort((one, other) => one.beganMs - other.beganMs);
}

/** Shares of the rest after each write but the last; negative where the next one started before it had ended. */
const rests = (times: Awaited<ReturnType<typeof threeWrites>>) =>
  times.slice(1).map(({ beganMs }, at) => {
    const before = times[at] as (typeof times)[number];
    return (beganMs - before.endedMs) / (before.endedMs - before.beganMs);
  });

it('copies are written in parallel while there is no live traffic', async () => {
  expect(Math.max(...rests(await threeWrites(given())))).toBeLessThan(0);
});

it('an HNSW index is built by all available processes while there is no live traffic', async () => {
  expect(await mustYield(dependencies())).toBe(false);
});

it.each([
  [30, 0.25],
  [500, 0.05],
  [20_000, 0.25],
])(
  'pieces of %i ms have at least the share %f of the time, however long the live work lasts',
  async (pieceMs, share) => {
    let nowMs = 0;
    let worked = 0;
    const tools = {
      hasLiveWork: async () => true,
      nowMs: () => nowMs,
      rest: async (ms: number) => {
        nowMs += ms;
      },
    };
    const yielding = createYielding(dependencies({ copyShare: share }), { tools });
    const piece = async () => {
      nowMs += pieceMs;
      worked += pieceMs;
    };
    const { signal } = new AbortController();
    // Two tasks in one process take turns.
    await Promise.all(Array.from({ length: 100 }, () => yielding(signal, piece)));
    expect(worked).toBe(100 * pieceMs);
    expect(worked / nowMs).toBeGreaterThanOrEqual(share);
    expect(worked / nowMs).toBeLessThan(1);
  },
);

it('a piece of an open transaction is followed by a rest that is not longer than the transaction may be idle', async () => {
  let nowMs = 0;
  const rests: number[] = [];
  const tools = {
    hasLiveWork: async () => true,
    nowMs: () => nowMs,
    rest: async (ms: number) => rests.push(ms),
  };
  const yielding = createYielding(dependencies({ copyShare: 0.25 }), { tools, maxRestMs: 1_000 });
  for (const pieceMs of [20, 200, 20_000]) {
    await yielding(new AbortController().signal, async () => {
      nowMs += pieceMs;
    });
  }
  expect(rests).toEqual([60, 600, 1_000]);
});

describe('during live traffic', () => {
  it('an HNSW index is built by one process, unless copying does not yield either', async () => {
    const live = sql`select pg_sleep(0.5)`.execute(database.db);
    await vi.waitFor(async () => expect(await mustYield(dependencies())).toBe(true), 90_000);
    expect(await mustYield(dependencies({ copyShare: 1 }))).toBe(false);
    expect(await mustYield(dependencies({ db: background }))).toBe(false);
    await live;
  });

  it('copies are written one after the other, with rests that keep their share of the time', async () => {
    const live = sql`select pg_sleep(2)`.execute(database.db);
    await vi.waitFor(async () => expect(await hasLiveWork(background, 0)).toBe(true), 90_000);
    expect(Math.min(...rests(await threeWrites(given())))).toBeGreaterThan((1 / SHARE - 1) * 0.9);
    await live;
  });

  it('copying does not yield with a share of 1, or without its own connections', async () => {
    const live = sql`select pg_sleep(0.5)`.execute(database.db);
    await vi.waitFor(async () => expect(await hasLiveWork(background, 0)).toBe(true), 90_000);
    expect(Math.max(...rests(await threeWrites(given({ copyShare: 1 }))))).toBeLessThan(0);
    expect(Math.max(...rests(await threeWrites(given({ db: background }))))).toBeLessThan(0);
    await live;
  });

  it('copying rests for at most two seconds, and reports how long it yielded to live traffic', async () => {
    const live = sql`select pg_sleep(0.5)`.execute(database.db);
    await vi.waitFor(async () => expect(await hasLiveWork(background, 0)).toBe(true), 90_000);
    let waitedMs = 0;
    const write = () => delay(WRITE_MS);
    await given({ copyShare: 0.001 })(new AbortController().signal, write, (fromMs, toMs) => {
      waitedMs += toMs - fromMs;
    });
    // Timers of Node may fire a millisecond early.
    expect(waitedMs).toBeGreaterThanOrEqual(1_995);
    expect(waitedMs).toBeLessThan((WRITE_MS / 0.001) * 0.9);
    await live;
  });

  it('copying starts no further write after a stop', async () => {
    const live = sql`select pg_sleep(0.5)`.execute(database.db);
    await vi.waitFor(async () => expect(await hasLiveWork(background, 0)).toBe(true), 90_000);
    const stop = new AbortController();
    let writes = 0;
    const write = async () => {
      writes++;
      stop.abort(new Error('stopped'));
    };
    const yielding = given();
    const outcomes = await Promise.allSettled([yielding(stop.signal, write), yielding(stop.signal, write)]);
    expect({ writes, last: outcomes[1]?.status }).toEqual({ writes: 1, last: 'rejected' });
    await live;
  });
});
