import type { Metric } from '../contract/indexes.ts';

/** pgvector keeps single-precision numbers and refuses larger ones. */
const FLOAT32_MAX = 3.4028234663852886e38;

/**
 * What is wrong with a vector of a model, as a stable code with words, or null. A vector of length zero has no
 * direction: by cosine, pgvector answers NaN for it, which sorts before every true hit. Lengths are those of the
 * single-precision numbers that pgvector calculates with, so one that vanishes or overflows there counts too.
 */
export function vectorProblem(
  vector: readonly number[],
  metric: Metric,
): { reason: 'InvalidVector' | 'ZeroVector'; detail: string } | null {
  if (!vector.every((value) => Math.abs(value) <= FLOAT32_MAX)) {
    return { reason: 'InvalidVector', detail: 'the model gave a vector with numbers that cannot be stored' };
  }
  if (metric !== 'cosine') return null;
  const squared = Math.fround(squaredLength(vector));
  if (squared > 0 && squared <= FLOAT32_MAX) return null;
  return { reason: 'ZeroVector', detail: 'the model gave a vector without direction, which has no cosine similarity' };
}

/**
 * The mean of an object's own part vectors (one or more of the same length); for cosine with length 1. Null if by
 * cosine there is none, because the parts cancel each other out.
 */
export function averageOf(vectors: readonly (readonly number[])[], metric: Metric): number[] | null {
  const sum = new Array<number>(vectors[0]?.length ?? 0).fill(0);
  for (const vector of vectors) {
    for (let at = 0; at < sum.length; at += 1) sum[at] = (sum[at] ?? 0) + (vector[at] ?? 0);
  }
  const mean = sum.map((value) => value / vectors.length);
  if (vectorProblem(mean, metric) !== null) return null;
  if (metric !== 'cosine') return mean;
  const length = Math.sqrt(squaredLength(mean));
  return mean.map((value) => value / length);
}

function squaredLength(vector: readonly number[]): number {
  let sum = 0;
  for (const value of vector) sum += Math.fround(value) ** 2;
  return sum;
}
