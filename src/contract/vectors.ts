/** A vector; a typed array if the model returns single precision, which pgvector stores. */
export type Vector = readonly number[] | Float32Array;

/** Largest number that pgvector accepts: it stores and computes in single precision. */
export const FLOAT32_MAX = 3.4028234663852886e38;
/** Largest number in half precision, and the smallest one that keeps its digits there. */
export const HALF_MAX = 65_504;
export const HALF_MIN = 6.103515625e-5;

/** Returns the squared length of the vector after rounding to single precision, as pgvector does. */
export function squaredLength(vector: Vector): number {
  let sum = 0;
  for (let at = 0; at < vector.length; at += 1) sum += Math.fround(vector[at] as number) ** 2;
  return sum;
}
