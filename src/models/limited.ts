import { setTimeout as delay } from 'node:timers/promises';
import type { Embedder } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import { type CallCost, costOf, type ModelLimit } from '../contract/model-limits.ts';

/** Keeps the limits of models for all processes together. */
export interface CallLimiter {
  /** Books a call, and answers in how long it may be made; one that would wait for longer than that is not booked. */
  book(model: string, cost: CallCost, maxWaitMs: number | null): Promise<{ isBooked: boolean; waitMs: number }>;
  /** The provider has asked all to wait. */
  pause(model: string, forMs: number): Promise<void>;
  /** For how long it has. */
  pauseOf(model: string): Promise<number>;
}

/** Rather too many than too few: of English text a token has some four bytes, of others hardly ever less than three. */
const BYTES_PER_TOKEN = 3;
/** A provider that tells to slow down without saying for how long. */
const USUAL_PAUSE_MS = 1_000;
/** A model without limits is looked up only so often, to see whether it has asked for a pause. */
const LOOK_EVERY_MS = 1_000;

/**
 * The same embedder within the limits of its model: a call waits for its turn, or throws `ModelRateLimited` where that
 * would take longer than it may. When the provider itself asks to slow down, all processes do.
 */
export function createLimitedEmbedder(embedder: Embedder, { model, limit, limiter, onWait }: LimitedOptions): Embedder {
  let lookedMs = 0;
  let pausedUntilMs = 0;
  const turnOf = async (texts: readonly string[], maxWaitMs: number | null) => {
    if (limit) {
      const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
      return limiter.book(model, costOf(limit, Math.ceil(bytes / BYTES_PER_TOKEN)), maxWaitMs);
    }
    if (Date.now() - lookedMs >= LOOK_EVERY_MS) {
      lookedMs = Date.now();
      pausedUntilMs = lookedMs + (await limiter.pauseOf(model));
    }
    const waitMs = Math.max(0, pausedUntilMs - Date.now());
    return { isBooked: maxWaitMs === null || waitMs <= maxWaitMs, waitMs };
  };
  return {
    dimensions: embedder.dimensions,
    maxTexts: embedder.maxTexts,
    maxChars: embedder.maxChars,
    ...(embedder.knows && { knows: embedder.knows.bind(embedder) }),
    async embed(texts, options) {
      const { isBooked, waitMs } = await turnOf(texts, options.maxWaitMs ?? null);
      if (!isBooked) {
        const message = `The model "${model}" is at its limit, or has asked to slow down`;
        throw new ReembedError('ModelRateLimited', message, { retryAfterMs: waitMs });
      }
      if (waitMs > 0) {
        onWait?.(waitMs);
        await delay(waitMs, undefined, { signal: options.signal });
      }
      try {
        return await embedder.embed(texts, options);
      } catch (error) {
        if (error instanceof ReembedError && error.type === 'ModelRateLimited') {
          const forMs = error.retryAfterMs ?? USUAL_PAUSE_MS;
          pausedUntilMs = Math.max(pausedUntilMs, Date.now() + forMs);
          await limiter.pause(model, forMs).catch(() => {}); // what the model said is what counts
        }
        throw error;
      }
    },
  };
}

export interface LimitedOptions {
  /** See `modelKeyOf`. */
  model: string;
  limit: ModelLimit | undefined;
  limiter: CallLimiter;
  /** Is told before a call that is held back. */
  onWait?: ((waitMs: number) => void) | undefined;
}
