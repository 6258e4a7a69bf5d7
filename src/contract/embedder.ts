import { ReembedError } from './errors.ts';
import type { Vector } from './vectors.ts';

/** Purpose of a vector: some models embed queries and documents differently. */
export type EmbedPurpose = 'document' | 'query';

export interface EmbedOptions {
  purpose: EmbedPurpose;
  signal?: AbortSignal;
  /** Maximum time that the call may wait for the limits of the model, in milliseconds; default: no limit. */
  maxWaitMs?: number;
  /** Called before a wait with its reason and its length in milliseconds. */
  onHold?: (why: ReembedError, forMs: number) => void;
  /** Called after each call of the provider that says how many tokens it has counted. */
  onUsage?: ((tokens: number) => void) | undefined;
  /** The texts were counted by the tokenizer of the model, and none is longer than its window. */
  areCounted?: boolean | undefined;
  /** Awaited after the wait; if it throws, the call is not made and the error is passed on. */
  afterHold?: () => Promise<void>;
}

/**
 * Turns texts into vectors; the interface of all models.
 *
 * `embed` gets at most `maxTexts` texts with at most `maxChars` characters together (one text alone may be longer) and
 * returns one vector of `dimensions` finite numbers for each, in order. It throws a `ReembedError`:
 * `ModelRejectedInput` when a text cannot be embedded (the caller finds it by halving the batch), with the reason
 * `truncated` when the model answered but has read only a part of a text,
 * `ModelBadAnswer` when the response is invalid (as a `PartialAnswer` when some of its vectors are valid),
 * `ModelRateLimited` with `retryAfterMs`, `ModelUnavailable` (with the reason `timeout` when there was no response),
 * `ModelUnauthorized`, `ModelNotFound`, `ModelQuotaUsedUp`, `ModelWrongDimension`, `ModelSameVector`.
 */
export interface Embedder {
  readonly dimensions: number;
  /** May change as the model's limits are learned: read it before each call. */
  readonly maxTexts: number;
  readonly maxChars: number;
  /** What this process has learned about the size and number of calls; absent if nothing is learned. */
  readonly pace?: Pace;
  embed(texts: readonly string[], options: EmbedOptions): Promise<Vector[]>;
  /**
   * Returns for each text whether the model knows at least one of its words. Only for models with a fixed vocabulary:
   * the vector of a text without known words is similar to nothing.
   */
  knows?(texts: readonly string[]): Promise<boolean[]>;
  /** Returns the number of tokens of each text. Only for models whose tokenizer is built in. */
  countTokens?(texts: readonly string[]): Promise<number[]>;
  /** Returns the remaining milliseconds of a pause that the provider has requested. */
  pausedMs?(): Promise<number>;
}

/** Returns the embedder with another `embed`. */
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
    ...(embedder.countTokens && { countTokens: embedder.countTokens.bind(embedder) }),
    ...(embedder.pausedMs && { pausedMs: embedder.pausedMs.bind(embedder) }),
    embed,
  };
}

/** Size of a call: its texts and their characters. */
export interface CallSize {
  texts: number;
  chars: number;
}

/** What was learned about calls to a model, shared by all its callers in this process. */
export interface Pace {
  /** Waits for a free slot among the calls in flight; returns the function that releases it. */
  enter(signal?: AbortSignal): Promise<() => void>;
  /** Records a call that succeeded. */
  answered(size: CallSize, ms: number): void;
  /** Records a call that timed out: the next calls are smaller and fewer. */
  timedOut(size: CallSize, ms: number): void;
  /**
   * Records a call that was too large: it failed although each of its texts is valid. `said` is the reported reason;
   * `isSure` is false when the call may have failed by chance.
   */
  tooLarge(size: CallSize, said: string, isSure: boolean): void;
  /** Returns the maximum number of texts that the reason of a refusal seems to name. */
  hintOf(size: CallSize, said: string): number | undefined;
  /** Whether a call with as many texts was accepted before. */
  hasAccepted(size: CallSize): boolean;
  /** Runs one search for the cause of a refusal at a time: the next search may already know the cause. */
  inTurn<T>(search: () => Promise<T>): Promise<T>;
  /** True once the model has returned valid vectors. */
  readonly hasAnswered: boolean;
}

const ABOUT_LENGTH = /token|length|character|context|payload|bytes|\b413\b/i;

/** Whether the message of a refusal gives the length of a text as its reason. */
export function namesLength(message: string): boolean {
  return ABOUT_LENGTH.test(message);
}

/** A response that is valid for some of its texts: `vectors` has null for the invalid ones. */
export class PartialAnswer extends ReembedError {
  readonly vectors: readonly (Vector | null)[];

  constructor(message: string, vectors: readonly (Vector | null)[]) {
    super('ModelBadAnswer', message);
    this.vectors = vectors;
  }
}
