import { PartialAnswer } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import type { Vector } from '../contract/vectors.ts';

export interface Asked {
  texts: readonly string[];
  dimensions: number;
  label: string;
}

/**
 * Returns a model's response if it has one vector of `dimensions` finite numbers for each text: a vector in the wrong
 * place or of the wrong length must never reach an index. Throws `ModelWrongDimension` if all vectors have the same
 * other length, otherwise `ModelBadAnswer`; as a `PartialAnswer` if some vectors are usable.
 */
export function checkVectors(answer: readonly unknown[], { texts, dimensions, label }: Asked): Vector[] {
  if (answer.length !== texts.length) {
    const message = `The ${label} answered with ${answer.length} vectors for ${texts.length} texts`;
    throw new ReembedError('ModelBadAnswer', message);
  }
  let problem: string | undefined;
  const lengths = new Set<number>();
  const vectors = answer.map((value) => {
    if (!isVector(value)) {
      problem ??= 'with no vector for one of the texts';
      lengths.add(0);
      return null;
    }
    lengths.add(value.length);
    const at = value.length === dimensions ? findNotFinite(value) : -1;
    if (value.length === dimensions && at < 0) return value;
    problem ??=
      at >= 0
        ? `with ${shown(value[at])} at dimension ${at} of ${dimensions}`
        : `with ${value.length} dimensions, but is configured with ${dimensions}`;
    return null;
  });
  if (problem === undefined) return vectors as Vector[];
  const message = `The ${label} answers ${problem}`;
  const [length = 0] = lengths;
  if (lengths.size === 1 && length > 0 && length !== dimensions) throw new ReembedError('ModelWrongDimension', message);
  if (vectors.every((vector) => vector === null)) throw new ReembedError('ModelBadAnswer', message);
  throw new PartialAnswer(message, vectors);
}

function isVector(value: unknown): value is Vector {
  return Array.isArray(value) || value instanceof Float32Array;
}

function findNotFinite(vector: Vector): number {
  for (let at = 0; at < vector.length; at++) if (!Number.isFinite(vector[at])) return at;
  return -1;
}

/** Describes what is in the place of a number; never shows a string, which the model may have quoted. */
function shown(value: unknown): string {
  return typeof value === 'number' || value === null ? String(value) : `a ${typeof value}`;
}
