import type { Embedder, EmbedOptions } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import type { Vector } from '../contract/vectors.ts';
import { checkVectors } from './check-vectors.ts';

/** Two texts that no model can take for the same. */
const PROBES = ['hello', 'The harbor master counts nine ships before the storm.'] as const;

/**
 * Embeds two short texts to check that the model responds with the right dimension and tells texts apart. Throws what
 * `embed` throws, and `ModelSameVector`.
 */
export async function checkEmbedder(embedder: Embedder, options: Omit<EmbedOptions, 'purpose'> = {}): Promise<void> {
  const { dimensions } = embedder;
  const vectors: Vector[] = [];
  // One text per call: some models accept no more.
  for (const text of PROBES) {
    const answer = await embedder.embed([text], { ...options, purpose: 'document' });
    vectors.push(...checkVectors(answer, { texts: [text], dimensions, label: 'model' }));
  }
  const [first, second] = vectors;
  if (first && second && isSameVector(first, second)) throw sameVector();
}

export function isSameVector(left: Vector, right: Vector): boolean {
  return left.length === right.length && left.every((value, at) => value === right[at]);
}

function sameVector(): ReembedError {
  return new ReembedError(
    'ModelSameVector',
    'The model answers with the same vector for different texts: every search would find everything or nothing',
  );
}
