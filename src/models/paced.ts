import type { Embedder } from '../contract/embedder.ts';
import type { Learned } from './pace.ts';

/** The same embedder, with calls as large as its model is known to take. */
export function createPacedEmbedder(embedder: Embedder, pace: Learned): Embedder {
  return {
    dimensions: embedder.dimensions,
    get maxTexts() {
      return Math.min(embedder.maxTexts, pace.mostTexts);
    },
    get maxChars() {
      return Math.min(embedder.maxChars, pace.mostChars);
    },
    pace,
    ...(embedder.knows && { knows: embedder.knows.bind(embedder) }),
    ...(embedder.pausedMs && { pausedMs: embedder.pausedMs.bind(embedder) }),
    embed: (texts, options) => embedder.embed(texts, options),
  };
}
