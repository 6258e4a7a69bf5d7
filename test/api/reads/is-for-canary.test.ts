import { expect, test } from 'vitest';
import { isForCanary } from '../../../src/api/reads/is-for-canary.ts';

const KEYS = Array.from({ length: 20_000 }, (_, at) => `user-${at}`);
const never = (): number => {
  throw new Error('a key decides without chance');
};

test('the hashes of keys send the share of the keys to the canary', () => {
  for (const share of [0.01, 0.05, 0.5]) {
    const chosen = KEYS.filter((key) => isForCanary(share, key, never)).length / KEYS.length;
    expect(chosen).toBeGreaterThan(share * 0.9 - 0.001);
    expect(chosen).toBeLessThan(share * 1.1 + 0.001);
  }
  expect(KEYS.filter((key) => isForCanary(1, key, never))).toEqual(KEYS);
});

test('a larger share keeps every key of a smaller one on its side', () => {
  const small = KEYS.filter((key) => isForCanary(0.05, key, never));
  expect(small.filter((key) => !isForCanary(0.2, key, never))).toEqual([]);
});

test('a caller may force a side, but not after the canary has ended', () => {
  expect(isForCanary(0.001, 'new', never)).toBe(true);
  expect(isForCanary(1, 'old', never)).toBe(false);
  expect(isForCanary(0, 'new', never)).toBe(false);
});

test('chance decides without a key', () => {
  for (const key of [undefined, '']) {
    expect(isForCanary(0.05, key, () => 0.049)).toBe(true);
    expect(isForCanary(0.05, key, () => 0.05)).toBe(false);
  }
});
