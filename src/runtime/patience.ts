import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, ReembedError } from '../contract/errors.ts';

const LONGEST_PAUSE_MS = 5_000;

export interface WaitOptions {
  /** How long to go on trying. */
  waitMs: number;
  say: (line: string) => void;
  signal?: AbortSignal;
}

/** Tries until it works, until the error is one that time does not heal, or until the time is over. */
export async function patiently<T>({ waitMs, say, signal }: WaitOptions, attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + waitMs;
  for (let pauseMs = 200, told = false; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      const heals = error instanceof ReembedError && error.retryable && error.reason === undefined;
      if (!heals || Date.now() + pauseMs > deadline) throw error;
      if (!told) say(`${messageOf(error)}; waiting for it`);
      told = true;
      await sleep(pauseMs, undefined, { signal });
    }
  }
}
