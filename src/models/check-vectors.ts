import { ReembedError } from '../contract/errors.ts';
import type { Vector } from '../contract/vectors.ts';

/**
 * Passes on what a model answered if it is one vector of `dimensions` finite numbers for each text. Throws
 * `ModelWrongDimension` otherwise: a vector in the wrong place or of the wrong length must never reach an index.
 */
export function checkVectors(
  vectors: Vector[],
  { texts, dimensions, label }: { texts: readonly string[]; dimensions: number; label: string },
): Vector[] {
  if (vectors.length !== texts.length) {
    throw wrong(`The ${label} answered with ${vectors.length} vectors for ${texts.length} texts`);
  }
  for (const vector of vectors) {
    if (vector.length !== dimensions) {
      throw wrong(`The ${label} answers with ${vector.length} dimensions, but is configured with ${dimensions}`);
    }
    const at = findNotFinite(vector);
    if (at >= 0) throw wrong(`The ${label} answered with ${vector[at]} at dimension ${at} of ${dimensions}`);
  }
  return vectors;
}

function findNotFinite(vector: Vector): number {
  for (let at = 0; at < vector.length; at++) if (!Number.isFinite(vector[at])) return at;
  return -1;
}

function wrong(message: string): ReembedError {
  return new ReembedError('ModelWrongDimension', message);
}
