import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { bounded } from '../../src/metrics/metrics.ts';
import { createSampler } from '../../src/metrics/sampler.ts';

it('a sample is read once for all requests within its age', async () => {
  let reads = 0;
  const sample = createSampler(async () => ++reads, { maxAgeMs: 60_000, limitMs: 1_000 });
  const values = await Promise.all([sample(), sample(), sample()]);
  expect([values.map(({ value }) => value), (await sample()).value, reads]).toEqual([[1, 1, 1], 1, 1]);
});

it('a sample is read again when it is old', async () => {
  let reads = 0;
  const sample = createSampler(async () => ++reads, { maxAgeMs: 0, limitMs: 1_000 });
  await sample();
  await sleep(5);
  expect((await sample()).value).toBe(2);
});

it('a hanging read blocks nobody and is not repeated while it hangs', async () => {
  let reads = 0;
  const hung = () => {
    reads++;
    return new Promise<never>(() => {});
  };
  const sample = createSampler(hung, { maxAgeMs: 0, limitMs: 20 });
  expect(await sample()).toEqual({ value: undefined, seconds: 0.02 });
  await sample();
  expect(reads).toBe(1);
});

it('a sample has no value when it cannot be read', async () => {
  const sample = createSampler(() => Promise.reject(new Error('no')), { maxAgeMs: 0, limitMs: 1_000 });
  expect((await sample()).value).toBeUndefined();
});

it('a bounded label has a max number of values, and one for all others', () => {
  const nameOf = bounded(2);
  expect(['a', 'b', 'c', 'a', 'd'].map(nameOf)).toEqual(['a', 'b', 'other', 'a', 'other']);
});
