import type { Vector } from './vectors.ts';

/** What a vector is for: some models embed the text of a query and of a document differently. */
export type EmbedPurpose = 'document' | 'query';

export interface EmbedOptions {
  purpose: EmbedPurpose;
  signal?: AbortSignal;
  /** How long the call may be held back for the limits of the model, as long as it takes if not given. */
  maxWaitMs?: number;
}

/**
 * Turns texts into vectors. The one interface of all models.
 *
 * `embed` gets at most `maxTexts` texts with at most `maxChars` characters together (one text alone may be longer) and
 * returns one vector of `dimensions` finite numbers for each, in order. It throws a `ReembedError`:
 * `ModelRejectedInput` when a text cannot be embedded (the caller finds out which by halving the batch),
 * `ModelRateLimited` with `retryAfterMs`, `ModelUnavailable`, `ModelUnauthorized`, `ModelNotFound`,
 * `ModelWrongDimension`.
 */
export interface Embedder {
  readonly dimensions: number;
  readonly maxTexts: number;
  readonly maxChars: number;
  embed(texts: readonly string[], options: EmbedOptions): Promise<Vector[]>;
  /**
   * Of each text, whether the model knows at least one of its words. Only a model with a fixed list of words has this:
   * its vector of a text without any is near to nothing.
   */
  knows?(texts: readonly string[]): Promise<boolean[]>;
}
