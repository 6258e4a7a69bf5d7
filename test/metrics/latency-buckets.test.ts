import { expect, test } from 'vitest';
import { bucketOf, quantileOf } from '../../src/metrics/latency-buckets.ts';

function countsOf(latencies: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const ms of latencies) counts.set(bucketOf(ms), (counts.get(bucketOf(ms)) ?? 0) + 1);
  return counts;
}

test('quantiles of counted latencies are off by at most 5 %', () => {
  const latencies = Array.from({ length: 1_000 }, (_, at) => 1.007 ** at);
  for (const q of [0.5, 0.95]) {
    const exact = latencies[Math.ceil(q * 1_000) - 1] as number;
    const found = quantileOf(countsOf(latencies), q) as number;
    expect(Math.abs(found / exact - 1)).toBeLessThan(0.05);
  }
});

test('there is no quantile without latencies, and no latency is outside of the buckets', () => {
  expect(quantileOf(new Map(), 0.5)).toBe(null);
  for (const ms of [0, 1e-9, 1e12]) expect(bucketOf(ms)).toBeLessThan(250);
  expect(bucketOf(0)).toBe(0);
});
