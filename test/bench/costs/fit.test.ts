import { expect, test } from 'vitest';
import { fitGrowth, largestWithin, type Point, SHAPES, valueAt } from '../../../bench/costs/fit.ts';

const SIZES = [2_000, 8_000, 32_000];
const pointsOf = (value: (x: number) => number): Point[] => SIZES.map((x) => ({ x, y: value(x) }));

test('a fit finds the fixed part and the part of each object of exact values', () => {
  const fit = fitGrowth(
    pointsOf((x) => 65_536 + 480 * x),
    'linear',
  );
  expect(fit.fixed).toBeCloseTo(65_536, 3);
  expect(fit.per).toBeCloseTo(480, 6);
  expect(fit.error).toBeLessThan(1e-9);
  expect(fit.ahead).toBeLessThan(1e-9);
  expect(valueAt(fit, 1_000_000_000)).toBeCloseTo(480e9 + 65_536, -3);
});

test('a fit of builds finds what each step takes, and no fixed part', () => {
  const fit = fitGrowth(
    pointsOf((x) => 3e-5 * SHAPES.build(x)),
    'build',
  );
  expect(fit).toMatchObject({ fixed: 0 });
  expect(fit.per).toBeCloseTo(3e-5, 10);
  expect(valueAt(fit, 64_000)).toBeCloseTo(3e-5 * SHAPES.build(64_000), 6);
});

test('a build grows with its vectors, the logarithm of their number, and what the caches do not hold', () => {
  // Below 2 MiB the caches hold the graph.
  expect(SHAPES.build(512)).toBeCloseTo(512 * 9, 6);
  expect(SHAPES.build(1_024_000) / SHAPES.build(512_000)).toBeGreaterThan(2.2);
  expect(SHAPES.build(1)).toBe(0);
});

test('its errors tell a value that does not grow like that', () => {
  const fit = fitGrowth(
    pointsOf((x) => x * x),
    'linear',
  );
  expect(fit.error).toBeGreaterThan(1);
  // The line of 2,000 and 8,000 has 256 million at 32,000 instead of 1,024 million.
  expect(fit.ahead).toBeCloseTo(1 - (10_000 * 32_000 - 16_000_000) / 1_024_000_000, 6);
});

test('two sizes give a fit that was not checked ahead', () => {
  expect(fitGrowth(pointsOf((x) => x).slice(1), 'linear')).toMatchObject({ per: 1, ahead: null });
});

test.each([
  [
    'one size',
    [
      { x: 5, y: 1 },
      { x: 5, y: 2 },
    ],
    'a fit needs values at two sizes or more, got 1',
  ],
  [
    'a size below 1',
    [
      { x: 0, y: 1 },
      { x: 5, y: 2 },
    ],
    'a fit needs sizes from 1 and finite values',
  ],
  [
    'a value that is no number',
    [
      { x: 1, y: Number.NaN },
      { x: 5, y: 2 },
    ],
    'a fit needs sizes from 1 and finite values',
  ],
])('a fit of %s is refused', (_what, points, message) => {
  expect(() => fitGrowth(points, 'linear')).toThrow(message);
});

test('the largest size within a bound is the last whole number that fits', () => {
  const amount = (x: number) => 10 + 3 * x;
  expect(largestWithin(amount, 310)).toBe(100);
  expect(largestWithin(amount, 312)).toBe(100);
  expect(largestWithin(amount, 313)).toBe(101);
  expect(largestWithin(amount, 5)).toBe(0);
  expect(largestWithin(() => 7, 7)).toBe(Number.POSITIVE_INFINITY);
});
