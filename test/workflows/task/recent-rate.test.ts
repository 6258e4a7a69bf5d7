import { expect, test } from 'vitest';
import { RecentRate } from '../../../src/workflows/task/recent-rate.ts';

test('the rate is that of the last minute, whatever was before', () => {
  const rate = new RecentRate(0, 0);
  for (let second = 1; second <= 600; second++) rate.add(second * 100, second * 1_000);
  // It stands still for five minutes, then continues at 5 per second.
  for (let second = 601; second <= 900; second++) rate.add(60_000, second * 1_000);
  expect(rate.add(60_000, 900_000)).toBe(0);
  for (let second = 901; second <= 959; second++) rate.add(60_000 + (second - 900) * 5, second * 1_000);
  expect(rate.add(60_300, 960_000)).toBe(5);
});

test('items of an earlier attempt do not count', () => {
  const rate = new RecentRate(500, 0);
  expect(rate.add(510, 10_000)).toBe(1);
  rate.reset(510, 20_000);
  expect(rate.add(520, 25_000)).toBe(2);
});

test('the rate is that since the last sample, also when reports are far apart or very frequent', () => {
  const rare = new RecentRate(0, 0);
  expect(rare.add(600, 300_000)).toBe(2);
  expect(rare.add(1_200, 600_000)).toBe(2);
  const frequent = new RecentRate(0, 0);
  let last = 0;
  for (let ms = 10; ms <= 200_000; ms += 10) last = frequent.add(ms / 10, ms);
  expect(last).toBe(100);
});
