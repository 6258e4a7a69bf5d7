import { expect, it } from 'vitest';
import { costOf } from '../../src/contract/model-limits.ts';
import { bookCall, liftPause, pauseModel, pauseOfModel } from '../../src/store/model-limits.ts';
import { onBothDatabases } from '../support/databases.ts';
import { uniqueName } from './builders.ts';

const MINUTE_MS = 60_000;

/** The max number in any minute. */
function maxInAMinute(calls: readonly { atMs: number; amount: number }[]): number {
  const sorted = [...calls].sort((left, right) => left.atMs - right.atMs);
  const sums = sorted.map(({ atMs: fromMs }) =>
    sorted
      .filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + MINUTE_MS)
      .reduce((sum, { amount }) => sum + amount, 0),
  );
  return Math.max(...sums);
}

onBothDatabases((database) => {
  const bookMany = async (model: string, limit: Parameters<typeof costOf>[0], count: number, tokens: number) => {
    const call = async () => {
      const { isBooked, waitMs } = await bookCall(database().db, model, costOf(limit, tokens), null);
      expect(isBooked).toBe(true);
      return { atMs: Date.now() + waitMs, amount: 1 };
    };
    return Promise.all(Array.from({ length: count }, call));
  };

  it('concurrent bookings never exceed the limit in any minute, and use it fully', async () => {
    const calls = await bookMany(uniqueName('model'), { requestsPerMinute: 60 }, 150, 0);
    const most = maxInAMinute(calls);
    expect(most).toBeLessThanOrEqual(60);
    expect(most).toBeGreaterThan(50);
  });

  it('the limit that is reached first counts, be it requests or tokens per minute', async () => {
    const limit = { requestsPerMinute: 6_000, tokensPerMinute: 10_000 };
    const calls = await bookMany(uniqueName('model'), limit, 100, 200);
    const most = maxInAMinute(calls.map(({ atMs }) => ({ atMs, amount: 200 })));
    expect(most).toBeLessThanOrEqual(10_000 + 200);
    expect(most).toBeGreaterThan(8_000);
  });

  it('a call that would wait too long consumes nothing', async () => {
    const { db } = database();
    const model = uniqueName('model');
    const cost = costOf({ requestsPerMinute: 1 }, 0);
    expect(await bookCall(db, model, cost, 0)).toEqual({ isBooked: true, waitMs: 0, pausedMs: 0 });
    const refused = await bookCall(db, model, cost, 1_000);
    expect(refused.isBooked).toBe(false);
    expect(refused.waitMs).toBeGreaterThan(30_000);
    const again = await bookCall(db, model, cost, 1_000);
    expect(again.waitMs).toBeLessThanOrEqual(refused.waitMs);
  });

  it('a pause applies to all calls, and a shorter pause does not end it', async () => {
    const { db } = database();
    const model = uniqueName('model');
    expect(await pauseOfModel(db, model)).toBe(0);
    await pauseModel(db, model, 50_000);
    await pauseModel(db, model, 10);
    expect(await pauseOfModel(db, model)).toBeGreaterThan(30_000);
    const { waitMs } = await bookCall(db, model, costOf({ requestsPerMinute: 1_000 }, 0), null);
    expect(waitMs).toBeGreaterThan(30_000);
    expect(await pauseOfModel(db, uniqueName('other'))).toBe(0);
  });

  it('a lifted pause blocks nobody, and the limit still counts', async () => {
    const { db } = database();
    const model = uniqueName('model');
    const cost = costOf({ requestsPerMinute: 1 }, 0);
    await pauseModel(db, model, 50_000);
    const before = await bookCall(db, model, cost, null);
    expect(before.pausedMs).toBeGreaterThan(30_000);
    await liftPause(db, model);
    expect(await pauseOfModel(db, model)).toBe(0);
    const after = await bookCall(db, model, cost, null);
    expect(after.pausedMs).toBe(0);
    expect(after.waitMs).toBeGreaterThan(30_000);
  });
});
