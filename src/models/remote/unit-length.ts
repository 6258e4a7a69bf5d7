import type { Vector } from '../../contract/vectors.ts';

/** Returns a vector scaled to length 1; a zero vector stays as it is. */
export function toUnitLength(vector: Vector): Vector {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  return length === 0 || length === 1 ? vector : vector.map((value) => value / length);
}
