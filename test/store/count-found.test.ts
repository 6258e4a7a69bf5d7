import { expect, test } from 'vitest';
import { countFound } from '../../src/store/count-found.ts';

const near = (...distances: number[]) => distances.map((distance) => ({ distance }));

test.each([
  ['l2', 'short', 1e-5],
  ['l2', 'long', 1e5],
  ['ip', 'short', 1e-5],
  ['ip', 'long', 1e5],
] as const)(
  'what is farther away is not found by the metric %s, and what is as near is: %s vectors',
  (metric, _size, size) => {
    const sign = metric === 'ip' ? -1 : 1;
    const exact = near(...[1, 2, 3].map((place) => (metric === 'ip' ? 4 - place : place) * size * sign));
    const farther = near(5, 6, 7).map(({ distance }) => ({ distance: distance * size }));
    expect(countFound({ metric }, exact, exact)).toBe(3);
    expect(countFound({ metric }, exact, [...exact.slice(0, 1), ...farther])).toBe(1);
  },
);

test('any of equally near objects is correct, and no more are found than there are', () => {
  expect(countFound({ metric: 'cosine' }, near(0, 0.5), near(0, 0.5 + 1e-7, 0.5))).toBe(2);
  expect(countFound({ metric: 'cosine' }, near(0, 0.5), near(0, 0.6))).toBe(1);
  expect(countFound({ metric: 'l2' }, [], near(1))).toBe(0);
});
