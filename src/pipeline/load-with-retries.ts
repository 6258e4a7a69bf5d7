import { setTimeout as delay } from 'node:timers/promises';
import { ReembedError } from '../contract/errors.ts';
import type { Payload } from '../contract/objects.ts';

/** Waits; rejects when the signal is aborted. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

const realSleep: Sleep = (ms, signal) => delay(ms, undefined, { signal });

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** A server that asks for more than this gets it, but not with a batch of other objects waiting: the object fails. */
const LONGEST_RETRY_AFTER_MS = 300_000;

export interface RetryOptions {
  /** Tries in all. */
  attempts: number;
  signal?: AbortSignal;
  sleep?: Sleep;
}

/**
 * Calls `load` until it succeeds, fails with what a retry cannot help, or no attempt is left; then throws the last
 * error. Waits 0.5 s, 1 s, 2 s … 30 s in between, or longer where the server asks for it (`retryAfterMs`).
 */
export async function loadWithRetries(load: () => Promise<Payload>, options: RetryOptions): Promise<Payload> {
  const { attempts, signal, sleep = realSleep } = options;
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await load();
    } catch (error) {
      signal?.throwIfAborted();
      const waitMs = waitAfter(error, attempt);
      if (waitMs === undefined || attempt >= attempts) throw error;
      await sleep(waitMs, signal).catch((interrupted) => {
        signal?.throwIfAborted();
        throw interrupted;
      });
    }
  }
}

/** How long to wait after the attempt that threw `error`, or undefined if no retry can help. */
function waitAfter(error: unknown, attempt: number): number | undefined {
  if (!(error instanceof ReembedError) || !error.retryable) return undefined;
  const asked = error.retryAfterMs ?? 0;
  if (asked > LONGEST_RETRY_AFTER_MS) return undefined;
  return Math.max(asked, Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS));
}
