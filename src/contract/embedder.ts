import { ReembedError } from './errors.ts';
import type { Vector } from './vectors.ts';

/** What a vector is for: some models embed the text of a query and of a document differently. */
export type EmbedPurpose = 'document' | 'query';

export interface EmbedOptions {
  purpose: EmbedPurpose;
  signal?: AbortSignal;
  /** How long the call may be held back for the limits of the model; without it, as long as it takes. */
  maxWaitMs?: number;
  /** Is told why and for how many milliseconds the call is held back, before it is made. */
  onHold?: (why: ReembedError, forMs: number) => void;
}

/**
 * Turns texts into vectors. The one interface of all models.
 *
 * `embed` gets at most `maxTexts` texts with at most `maxChars` characters together (one text alone may be longer) and
 * returns one vector of `dimensions` finite numbers for each, in order. It throws a `ReembedError`:
 * `ModelRejectedInput` when a text cannot be embedded (the caller finds out which by halving the batch),
 * `ModelBadAnswer` when the answer cannot be used (as a `PartialAnswer` when some of its vectors can),
 * `ModelRateLimited` with `retryAfterMs`, `ModelUnavailable` (with the reason `timeout` when it did not answer in time),
 * `ModelUnauthorized`, `ModelNotFound`, `ModelQuotaUsedUp`, `ModelWrongDimension`.
 */
export interface Embedder {
  readonly dimensions: number;
  /** May change while the model's limits are learned: read it before each call. */
  readonly maxTexts: number;
  readonly maxChars: number;
  /** What this process has learned about the size and the number of calls; absent: nothing is learned. */
  readonly pace?: Pace;
  embed(texts: readonly string[], options: EmbedOptions): Promise<Vector[]>;
  /**
   * Of each text, whether the model knows at least one of its words. Only a model with a fixed list of words has this:
   * its vector of a text without any is near to nothing.
   */
  knows?(texts: readonly string[]): Promise<boolean[]>;
  /** For how many milliseconds more nobody may call the model because its provider has asked to slow down. */
  pausedMs?(): Promise<number>;
}

/** The same embedder but for how it embeds. */
export function wrapEmbedder(embedder: Embedder, embed: Embedder['embed']): Embedder {
  return {
    dimensions: embedder.dimensions,
    get maxTexts() {
      return embedder.maxTexts;
    },
    get maxChars() {
      return embedder.maxChars;
    },
    ...(embedder.pace && { pace: embedder.pace }),
    ...(embedder.knows && { knows: embedder.knows.bind(embedder) }),
    ...(embedder.pausedMs && { pausedMs: embedder.pausedMs.bind(embedder) }),
    embed,
  };
}

/** The size of a call: its texts and their characters. */
export interface CallSize {
  texts: number;
  chars: number;
}

/** What a model teaches about calls, shared by all who call it from this process. */
export interface Pace {
  /** Waits for a free place among the calls in flight; returns the function that frees it. */
  enter(signal?: AbortSignal): Promise<() => void>;
  /** The call was answered. */
  answered(size: CallSize, ms: number): void;
  /** The call was not answered in time: the next ones are smaller and fewer. */
  timedOut(size: CallSize, ms: number): void;
  /**
   * The call failed although each of its texts is fine: it was too large. `said` is the reason that was given; `isSure`
   * is false when the call may as well have failed by chance.
   */
  tooLarge(size: CallSize, said: string, isSure: boolean): void;
  /** The most texts of a call that the reason of a refusal seems to name. */
  hintOf(size: CallSize, said: string): number | undefined;
  /** Runs one search for the cause of a refusal at a time: the next one may find the answer learned already. */
  inTurn<T>(search: () => Promise<T>): Promise<T>;
  /** True once the model has answered with usable vectors. */
  readonly hasAnswered: boolean;
}

/** An answer that is right for some of its texts: `vectors` has null where one cannot be used. */
export class PartialAnswer extends ReembedError {
  readonly vectors: readonly (Vector | null)[];

  constructor(message: string, vectors: readonly (Vector | null)[]) {
    super('ModelBadAnswer', message);
    this.vectors = vectors;
  }
}
