import type { Vector } from '../../src/contract/vectors.ts';

/** Cosine of the angle between two vectors of length 1. */
export function cosine(left: Vector, right: Vector): number {
  return [...left].reduce((sum, value, at) => sum + value * (right[at] ?? 0), 0);
}

export function lengthOf(vector: Vector): number {
  return Math.sqrt(cosine(vector, vector));
}
