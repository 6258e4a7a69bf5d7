import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/evaluation/random.ts';
import { bootstrapInterval, countBySign, mean, quantile } from '../../src/evaluation/samples.ts';

const OPTIONS = { confidence: 0.95, seed: 1 };

describe('the bootstrap interval', () => {
  test('contains the mean and lies within the values', async () => {
    const values = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 5, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(values, async (differences) => {
        const { low, high } = (await bootstrapInterval(differences, { ...OPTIONS, resamples: 200 })) ?? fail();
        expect(low).toBeLessThanOrEqual(high);
        expect(low).toBeGreaterThanOrEqual(Math.min(...differences) - 1e-12);
        expect(high).toBeLessThanOrEqual(Math.max(...differences) + 1e-12);
      }),
      { numRuns: 50 },
    );
  });

  test('is the same for the same seed, and wider for a higher confidence', async () => {
    const random = seededRandom(3);
    const differences = Array.from({ length: 100 }, () => random() - 0.4);
    const first = await bootstrapInterval(differences, OPTIONS);
    expect(await bootstrapInterval(differences, OPTIONS)).toEqual(first);
    expect(await bootstrapInterval(differences, { ...OPTIONS, seed: 2 })).not.toEqual(first);
    const wide = (await bootstrapInterval(differences, { ...OPTIONS, confidence: 0.99 })) ?? fail();
    expect(wide.high - wide.low).toBeGreaterThan((first?.high ?? 0) - (first?.low ?? 0));
  });

  test('contains the true mean about as often as its confidence says', async () => {
    const random = seededRandom(11);
    let within = 0;
    for (let run = 0; run < 300; run++) {
      const differences = Array.from({ length: 50 }, () => random() - 0.5);
      const interval = await bootstrapInterval(differences, { confidence: 0.9, seed: run, resamples: 400 });
      if (interval && interval.low <= 0 && interval.high >= 0) within++;
    }
    expect(within / 300).toBeGreaterThan(0.83);
    expect(within / 300).toBeLessThan(0.96);
  });

  test('is close to that of the normal distribution for many values', async () => {
    const random = seededRandom(5);
    const differences = Array.from({ length: 2_000 }, () => random());
    const average = mean(differences);
    const error = Math.sqrt(mean(differences.map((value) => (value - average) ** 2)) / differences.length);
    const { low, high } = (await bootstrapInterval(differences, OPTIONS)) ?? fail();
    expect(low).toBeCloseTo(average - 1.96 * error, 2);
    expect(high).toBeCloseTo(average + 1.96 * error, 2);
  });

  test('does not exist without values', async () => {
    expect(await bootstrapInterval([], OPTIONS)).toBeNull();
  });
});

describe('a sample', () => {
  test('has the quantiles of the nearest rank', () => {
    expect(quantile([], 0.5)).toBeNull();
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2);
    expect(quantile([4, 1, 3, 2], 0.95)).toBe(4);
    expect(quantile([7], 0)).toBe(7);
  });

  test('is counted by sign, with rounding errors as equal', () => {
    expect(countBySign([0.5, -0.1, 0, 0.1 + 0.2 - 0.3])).toEqual({ better: 1, equal: 2, worse: 1 });
  });
});

describe('the seeded generator', () => {
  test('gives numbers from 0 to 1 evenly, the same ones for the same seed', () => {
    const [first, second] = [seededRandom(42), seededRandom(42)];
    const values = Array.from({ length: 10_000 }, () => first());
    expect(values.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => second()));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    expect(mean(values)).toBeCloseTo(0.5, 1);
  });
});

function fail(): never {
  throw new Error('there is no interval');
}
