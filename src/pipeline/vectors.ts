import type { Metric } from '../contract/indexes.ts';
import { FLOAT32_MAX, HALF_MAX, HALF_MIN, squaredLength, type Vector } from '../contract/vectors.ts';

/**
 * Finds what is wrong with a model's vector: a stable code and a description, or null. A zero vector has no direction:
 * for cosine, pgvector returns NaN, which sorts before every true hit. Lengths are computed in single precision like
 * pgvector's, so a vector whose length underflows or overflows there counts too.
 */
export function vectorProblem(
  vector: Vector,
  metric: Metric,
  { isHalf = false }: { isHalf?: boolean } = {},
): { reason: 'InvalidVector' | 'ZeroVector'; detail: string } | null {
  if (!isWithin(vector, FLOAT32_MAX)) {
    return { reason: 'InvalidVector', detail: 'the model returned a vector with numbers that cannot be stored' };
  }
  if (isHalf && !isWithin(vector, HALF_MAX)) {
    const detail = `the model returned a vector with numbers above ${HALF_MAX}, which half precision cannot hold`;
    return { reason: 'InvalidVector', detail };
  }
  if (metric !== 'cosine') return null;
  if (isHalf && isWithin(vector, HALF_MIN)) return WITHOUT_DIRECTION;
  const squared = Math.fround(squaredLength(vector));
  if (squared > 0 && squared <= FLOAT32_MAX) return null;
  return WITHOUT_DIRECTION;
}

const WITHOUT_DIRECTION = {
  reason: 'ZeroVector',
  detail: 'the model returned a vector without direction, which cosine cannot compare',
} as const;

/**
 * Returns the mean of an object's part vectors (one or more of the same length), normalized for cosine. Returns null if
 * the parts cancel each other out, so that cosine has no mean.
 */
export function averageOf(vectors: readonly Vector[], metric: Metric): number[] | null {
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

function isWithin(vector: Vector, max: number): boolean {
  for (let at = 0; at < vector.length; at += 1) if (!(Math.abs(vector[at] as number) <= max)) return false;
  return true;
}
