import type { Embedder } from '../contract/embedder.ts';
import type { Learned } from './pace.ts';

/** Wraps an embedder so that its calls are as large as its model is known to accept. */
export function createPacedEmbedder(embedder: Embedder, pace: Learned): Embedder {
  return {
    dimensions: embedder.dimensions,
    get maxTexts() {
      return Math.min(embedder.maxTexts, pace.maxTexts);
    },
    get maxChars() {
      return Math.min(embedder.maxChars, pace.maxChars);
    },
    pace,
    ...(embedder.knows && { knows: embedder.knows.bind(embedder) }),
    ...(embedder.countTokens && { countTokens: embedder.countTokens.bind(embedder) }),
    ...(embedder.pausedMs && { pausedMs: embedder.pausedMs.bind(embedder) }),
    embed: (texts, options) => embedder.embed(texts, options),
  };
}
