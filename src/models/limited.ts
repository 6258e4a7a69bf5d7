import { setTimeout as delay } from 'node:timers/promises';
import { type Embedder, wrapEmbedder } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import { type CallCost, costOf, type ModelLimit } from '../contract/model-limits.ts';
import { estimateTokens } from './estimate-tokens.ts';

/** The time until a call may be made; `pausedMs` is the part of `waitMs` that the provider has asked for. */
export interface Turn {
  isBooked: boolean;
  waitMs: number;
  pausedMs: number;
}

/** Enforces the limits of models across all processes. */
export interface CallLimiter {
  /** Books a call and returns how long it must wait; does not book one that would wait longer than `maxWaitMs`. */
  book(model: string, cost: CallCost, maxWaitMs: number | null): Promise<Turn>;
  /** Pauses all calls because the provider has asked for it. */
  pause(model: string, forMs: number): Promise<void>;
  /** Returns how many milliseconds the pause still lasts. */
  pauseOf(model: string): Promise<number>;
}

/** Pause for a provider that asks to slow down without saying for how long. */
const USUAL_PAUSE_MS = 1_000;
/** Interval for checking whether a provider has asked for a pause, or whether it was lifted. */
const LOOK_EVERY_MS = 1_000;

/**
 * Wraps an embedder to respect its model's limits: a call waits for its turn, or throws `ModelRateLimited` if that
 * takes longer than allowed. When the provider itself asks to slow down, all processes do.
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
      return limiter.book(model, costOf(limit, estimateTokens(texts)), maxWaitMs);
    }
    const waitMs = await pausedMs();
    return { isBooked: maxWaitMs === null || waitMs <= maxWaitMs, waitMs, pausedMs: waitMs };
  };
  /** Waits for a turn. A pause may be lifted or extended during the wait. */
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
          : `The model "${model}" has reached its limit in REEMBED_MODEL_LIMITS`;
      return new ReembedError('ModelRateLimited', message, { retryAfterMs: waitMs });
    };
    if (!isBooked) throw why();
    if (waitMs > 0) {
      onWait?.(waitMs);
      options.onHold?.(why(), waitMs);
      await untilTurn(turn, options.signal);
      await options.afterHold?.();
    }
    try {
      return await embedder.embed(texts, options);
    } catch (error) {
      if (error instanceof ReembedError && error.type === 'ModelRateLimited') {
        const forMs = error.retryAfterMs ?? USUAL_PAUSE_MS;
        pausedUntilMs = Math.max(pausedUntilMs, Date.now() + forMs);
        await limiter.pause(model, forMs).catch(() => {}); // the model's error matters more
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
  /** Called before a call that must wait. */
  onWait?: ((waitMs: number) => void) | undefined;
}
