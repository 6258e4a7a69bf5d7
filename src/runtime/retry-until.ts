import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, ReembedError } from '../contract/errors.ts';

const MAX_PAUSE_MS = 5_000;

export interface WaitOptions {
  /** How long to keep trying. */
  waitMs: number;
  say: (line: string) => void;
  signal?: AbortSignal;
}

/** Retries until `attempt` succeeds, fails with an error that waiting does not fix, or the time is over. */
export async function retryUntil<T>({ waitMs, say, signal }: WaitOptions, attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + waitMs;
  for (let pauseMs = 200, isReported = false; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      const heals = error instanceof ReembedError && error.retryable && error.reason === undefined;
      if (!heals || Date.now() + pauseMs > deadline) throw error;
      if (!isReported) say(`${messageOf(error)}; waiting for it`);
      isReported = true;
      await sleep(pauseMs, undefined, { signal });
    }
  }
}
