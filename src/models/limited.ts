import { setTimeout as delay } from 'node:timers/promises';
import { type Embedder, wrapEmbedder } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import { type CallCost, costOf, type ModelLimit } from '../contract/model-limits.ts';

/** `pausedMs` is what the provider has asked for of the `waitMs`. */
export interface Turn {
  isBooked: boolean;
  waitMs: number;
  pausedMs: number;
}

/** Keeps the limits of models for all processes together. */
export interface CallLimiter {
  /** Books a call, and answers in how long it may be made; one that would wait for longer than that is not booked. */
  book(model: string, cost: CallCost, maxWaitMs: number | null): Promise<Turn>;
  /** The provider has asked all to wait. */
  pause(model: string, forMs: number): Promise<void>;
  /** For how long it has. */
  pauseOf(model: string): Promise<number>;
}

/** Rather too many than too few: of English text a token has some four bytes, of others hardly ever less than three. */
const BYTES_PER_TOKEN = 3;
/** A provider that tells to slow down without saying for how long. */
const USUAL_PAUSE_MS = 1_000;
/** A model is looked up only so often, to see whether it has asked for a pause, and whether that has been lifted. */
const LOOK_EVERY_MS = 1_000;

/**
 * The same embedder within the limits of its model: a call waits for its turn, or throws `ModelRateLimited` where that
 * would take longer than it may. When the provider itself asks to slow down, all processes do.
 */
export function createLimitedEmbedder(embedder: Embedder, { model, limit, limiter, onWait }: LimitedOptions): Embedder {
  let lookedMs = 0;
  let pausedUntilMs = 0;
  const pausedMs = async () => {
    if (Date.now() - lookedMs >= LOOK_EVERY_MS) {
      lookedMs = Date.now();
      pausedUntilMs = lookedMs + (await limiter.pauseOf(model));
    }
    return Math.max(0, pausedUntilMs - Date.now());
  };
  const turnOf = async (texts: readonly string[], maxWaitMs: number | null): Promise<Turn> => {
    if (limit) {
      const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
      return limiter.book(model, costOf(limit, Math.ceil(bytes / BYTES_PER_TOKEN)), maxWaitMs);
    }
    const waitMs = await pausedMs();
    return { isBooked: maxWaitMs === null || waitMs <= maxWaitMs, waitMs, pausedMs: waitMs };
  };
  /** A pause may be lifted, or asked for again, while it is waited for. */
  const untilTurn = async (turn: Turn, signal: AbortSignal | undefined) => {
    const dueMs = Date.now() + (turn.waitMs > turn.pausedMs ? turn.waitMs : 0);
    const left = async () => Math.max(dueMs - Date.now(), await pausedMs());
    for (let leftMs = await left(); leftMs > 0; leftMs = await left()) {
      await delay(Math.min(leftMs, LOOK_EVERY_MS), undefined, { signal });
    }
  };
  return wrapEmbedder({ ...embedder, pausedMs }, async (texts, options) => {
    const turn = await turnOf(texts, options.maxWaitMs ?? null);
    const { isBooked, waitMs } = turn;
    const why = () => {
      const message =
        turn.pausedMs > 0
          ? `The provider of the model "${model}" has asked to slow down`
          : `The model "${model}" is at the limit that REEMBED_MODEL_LIMITS states`;
      return new ReembedError('ModelRateLimited', message, { retryAfterMs: waitMs });
    };
    if (!isBooked) throw why();
    if (waitMs > 0) {
      onWait?.(waitMs);
      options.onHold?.(why(), waitMs);
      await untilTurn(turn, options.signal);
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
  });
}

export interface LimitedOptions {
  /** See `modelKeyOf`. */
  model: string;
  limit: ModelLimit | undefined;
  limiter: CallLimiter;
  /** Is told before a call that is held back. */
  onWait?: ((waitMs: number) => void) | undefined;
}
