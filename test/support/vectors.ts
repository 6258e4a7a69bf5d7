/** Cosine of the angle between two vectors of length 1. */
export function cosine(left: readonly number[], right: readonly number[]): number {
  return left.reduce((sum, value, at) => sum + value * (right[at] ?? 0), 0);
}

export function lengthOf(vector: readonly number[]): number {
  return Math.sqrt(cosine(vector, vector));
}
