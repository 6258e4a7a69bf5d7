import { setTimeout as delay } from 'node:timers/promises';
import { ReembedError } from '../contract/errors.ts';
import type { Payload } from '../contract/objects.ts';

/** Waits; rejects if the signal is aborted. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

const realSleep: Sleep = (ms, signal) => delay(ms, undefined, { signal });

const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 30_000;
/** If a server asks for a longer wait, the object fails, since the other objects of its batch would have to wait. */
const MAX_RETRY_AFTER_MS = 300_000;
/** A host whose name is not found is given up soon: within a minute, even if each lookup takes its whole time. */
const LOOKUP_ATTEMPTS = 5;

export interface RetryOptions {
  /** Max attempts in total. */
  attempts: number;
  signal?: AbortSignal;
  sleep?: Sleep | undefined;
}

/**
 * Calls `load` until it succeeds, fails with a non-retryable error, or no attempts are left; then throws the last
 * error. Waits 0.5 s, 1 s, 2 s … 30 s in between, or longer if the server asks for it (`retryAfterMs`). A host name that is
 * not found is looked up five times at most.
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
      const allowed = isLookup(error) ? Math.min(attempts, LOOKUP_ATTEMPTS) : attempts;
      if (waitMs === undefined || attempt >= allowed) throw error;
      await sleep(waitMs, signal).catch((interrupted) => {
        signal?.throwIfAborted();
        throw interrupted;
      });
    }
  }
}

/** Returns how long to wait after the attempt that threw `error`, or undefined if it cannot be retried. */
function waitAfter(error: unknown, attempt: number): number | undefined {
  if (!(error instanceof ReembedError) || !error.retryable) return undefined;
  const asked = error.retryAfterMs ?? 0;
  if (asked > MAX_RETRY_AFTER_MS) return undefined;
  return Math.max(asked, Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), MAX_WAIT_MS));
}

function isLookup(error: unknown): boolean {
  return error instanceof Error && (error.cause as NodeJS.ErrnoException | undefined)?.syscall === 'getaddrinfo';
}
