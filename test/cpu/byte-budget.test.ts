import { expect, test } from 'vitest';
import { ByteBudget } from '../../src/cpu/byte-budget.ts';

const WAIT = { waitMs: 10_000 };

test('a request that fits is granted immediately, and the others in order of arrival', async () => {
  const budget = new ByteBudget(10);
  const first = await budget.take(8, WAIT);
  const order: string[] = [];
  const large = budget.take(9, WAIT).then((hold) => {
    order.push('large');
    return hold;
  });
  const small = budget.take(1, WAIT).then(() => order.push('small'));
  expect(budget.tryTake(1), 'nobody overtakes those who wait').toBeUndefined();
  first?.shrink(2);
  await Promise.resolve();
  expect(order).toEqual([]);
  first?.release();
  first?.release();
  await large;
  await small;
  expect(order).toEqual(['large', 'small']);
  expect(budget.tryTake(1)).toBeUndefined();
});

test('a request above the budget takes all of it', async () => {
  const budget = new ByteBudget(10);
  const hold = await budget.take(1_000, WAIT);
  expect(budget.tryTake(1)).toBeUndefined();
  hold?.release();
  expect(budget.tryTake(10)).toBeDefined();
});

test('a request that times out or is aborted makes room for those behind it', async () => {
  const budget = new ByteBudget(10);
  const hold = budget.tryTake(6);
  const leaving = new AbortController();
  const left = budget.take(10, { ...WAIT, signal: leaving.signal });
  const late = budget.take(10, { waitMs: 20 });
  const next = budget.take(4, WAIT);
  leaving.abort(new Error('gone'));
  await expect(left).rejects.toThrow('gone');
  expect(await late).toBeUndefined();
  expect(await next).toBeDefined();
  hold?.release();
});

test('bytes that already exist count even if they exceed the rest of the budget', () => {
  const budget = new ByteBudget(10);
  const added = budget.add(15);
  expect(budget.tryTake(1)).toBeUndefined();
  added.release();
  expect(budget.tryTake(10)).toBeDefined();
});

test('of those that grow, the one that has held bytes for the longest never waits', async () => {
  const budget = new ByteBudget(10);
  const [first, second, third] = [budget.open(), budget.open(), budget.open()];
  expect(first.tryGrow(4)).toBe(true);
  expect(second.tryGrow(4)).toBe(true);
  expect(third.tryGrow(4)).toBe(false);
  const served: string[] = [];
  const grown = second.grow(7, WAIT).then(() => served.push('second'));
  const begun = third.grow(1, WAIT).then(() => served.push('third'));
  expect(await first.grow(100, WAIT)).toBe(true);
  expect(served).toEqual([]);
  first.release();
  await grown;
  await begun;
  expect(served).toEqual(['second', 'third']);
  expect(second.tryGrow(100), 'it is the oldest now').toBe(true);
  expect(third.tryGrow(2)).toBe(false);
  second.shrink(0);
  third.release();
  expect(budget.tryTake(10)).toBeDefined();
});

test('one that grows too late gets nothing and keeps what it has', async () => {
  const budget = new ByteBudget(10);
  const [first, second] = [budget.open(), budget.open()];
  first.tryGrow(6);
  second.tryGrow(4);
  expect(await second.grow(5, { waitMs: 20 })).toBe(false);
  first.release();
  expect(budget.tryTake(7)).toBeUndefined();
  expect(budget.tryTake(6)).toBeDefined();
});
