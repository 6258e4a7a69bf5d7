import { expect, test } from 'vitest';
import { ByteBudget } from '../../src/cpu/byte-budget.ts';

const WAIT = { waitMs: 10_000 };

test('a need that fits is met at once, and the others in the order in which they came', async () => {
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

test('a need above the budget takes all of it', async () => {
  const budget = new ByteBudget(10);
  const hold = await budget.take(1_000, WAIT);
  expect(budget.tryTake(1)).toBeUndefined();
  hold?.release();
  expect(budget.tryTake(10)).toBeDefined();
});

test('who waits too long or leaves makes room for those behind', async () => {
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

test('bytes that are there already count although they are more than are left', () => {
  const budget = new ByteBudget(10);
  const added = budget.add(15);
  expect(budget.tryTake(1)).toBeUndefined();
  added.release();
  expect(budget.tryTake(10)).toBeDefined();
});
