import { expect, test } from 'vitest';
import { SharedReads } from '../../src/cpu/shared-reads.ts';

test('a thousand who ask at once cost two readings, and none gets one that began before it asked', async () => {
  const shared = new SharedReads<number>();
  let begun = 0;
  const read = async () => {
    const mine = ++begun;
    await new Promise((resolve) => setTimeout(resolve, 5));
    return mine;
  };
  const first = shared.read('a', read);
  const others = Array.from({ length: 999 }, () => shared.read('a', read));
  expect(await first).toBe(1);
  expect(new Set(await Promise.all(others))).toEqual(new Set([2]));
  expect(await shared.read('a', read)).toBe(3);
});

test('other keys are read on their own, and an error ends with its reading', async () => {
  const shared = new SharedReads<string>();
  const failing = shared.read('a', async () => {
    throw new Error('away');
  });
  const next = shared.read('a', async () => 'there');
  expect(await shared.read('b', async () => 'other')).toBe('other');
  await expect(failing).rejects.toThrow('away');
  expect(await next).toBe('there');
});
