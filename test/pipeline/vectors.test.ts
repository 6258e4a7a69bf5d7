import { expect, test } from 'vitest';
import { averageOf, vectorProblem } from '../../src/pipeline/vectors.ts';

test('the average is the mean of the vectors, with length 1 for cosine', () => {
  const vectors = [
    [3, 0],
    [3, 8],
  ];
  expect(averageOf(vectors, 'l2')).toEqual([3, 4]);
  expect(averageOf(vectors, 'ip')).toEqual([3, 4]);
  expect(averageOf(vectors, 'cosine')).toEqual([0.6, 0.8]);
});

test('vectors that cancel each other out have no average for cosine', () => {
  const opposite = [
    [1, 0],
    [-1, 0],
  ];
  expect(averageOf(opposite, 'cosine')).toBeNull();
  expect(averageOf(opposite, 'l2')).toEqual([0, 0]);
});

test.each([
  ['zeros', [0, -0, 0]],
  ['numbers whose squares vanish in single precision', [1e-30, 1e-30, 0]],
  ['numbers that vanish in single precision', [1e-50, 0, 0]],
  ['numbers whose squares overflow in single precision', [1e25, 0, 0]],
])('%s have no direction', (_name, vector) => {
  expect(vectorProblem(vector, 'cosine')?.reason).toBe('ZeroVector');
  expect(vectorProblem(vector, 'l2')).toBeNull();
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, -1e39])('a vector with %d cannot be stored', (value) => {
  expect(vectorProblem([1, value], 'l2')?.reason).toBe('InvalidVector');
  expect(vectorProblem([1, value], 'cosine')?.reason).toBe('InvalidVector');
});
