/** Numbers in order; from a model that answers in single precision, as pgvector keeps them, a typed array. */
export type Vector = readonly number[] | Float32Array;

/** pgvector keeps single-precision numbers, refuses larger ones and calculates with them. */
export const FLOAT32_MAX = 3.4028234663852886e38;

/** Of the single-precision numbers that pgvector makes of these. */
export function squaredLength(vector: Vector): number {
  let sum = 0;
  for (let at = 0; at < vector.length; at += 1) sum += Math.fround(vector[at] as number) ** 2;
  return sum;
}
