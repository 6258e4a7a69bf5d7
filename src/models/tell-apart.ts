import { type Embedder, wrapEmbedder } from '../contract/embedder.ts';
import type { Vector } from '../contract/vectors.ts';
import { checkEmbedder, isSameVector } from './check-embedder.ts';

/** Time for which a model that has given two texts different vectors is not checked again. */
const TRUSTED_MS = 60_000;

/**
 * Wraps an embedder to throw `ModelSameVector` once its model answers with the same vector for every text: stored, such
 * vectors look valid. Some texts have the same vector with every model, such as "Cat" and "cat" with some, so the model
 * is asked for two fixed texts before. A call is also compared with the one before, since it may have only one text.
 */
export function createTellingEmbedder(embedder: Embedder): Embedder {
  let last: { text: string; vector: Vector } | undefined;
  let trustedUntilMs = 0;
  /** The last check has failed: the next call is checked too, whatever its vectors. */
  let isRefused = false;
  const isSuspicious = (texts: readonly string[], vectors: readonly Vector[]) => {
    const [first, vector] = [texts[0], vectors[0]];
    if (first === undefined || vector === undefined) return false;
    const hasOneText = texts.every((text) => text === first);
    if (hasOneText && (last === undefined || last.text === first)) return false;
    const other = hasOneText && last ? last.vector : vector;
    return vectors.every((one) => isSameVector(one, other));
  };
  return wrapEmbedder(embedder, async (texts, options) => {
    const vectors = await embedder.embed(texts, options);
    if (isRefused || (isSuspicious(texts, vectors) && Date.now() >= trustedUntilMs)) {
      isRefused = true;
      await checkEmbedder(embedder, { signal: options.signal, maxWaitMs: options.maxWaitMs, onUsage: options.onUsage });
      isRefused = false;
      trustedUntilMs = Date.now() + TRUSTED_MS;
    }
    const [text, vector] = [texts.at(-1), vectors.at(-1)];
    if (text !== undefined && vector !== undefined) last = { text, vector };
    return vectors;
  });
}
