import { setTimeout as delay } from 'node:timers/promises';
import type { Embedder } from '../../contract/embedder.ts';
import { ReembedError } from '../../contract/errors.ts';
import { isLocal } from './heartbeat.ts';
import type { Waits } from './waits.ts';

const MIN_WAIT_MS = 500;
/** Waits from this length on are reported to the task. */
const REPORTED_MS = 1_000;
/** How often to check whether a pause requested by a provider was lifted. */
const CHECK_MS = 1_000;
const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 60_000;
/** How long an activity waits for a model that does not answer, without any progress. */
export const MODEL_PATIENCE_MS = 30_000;
/** Max wait for a model that repeatedly asks to slow down. */
const MAX_ASKED_MS = 45 * 60_000;

/** Waits until a model can be called again, or throws its error. */
export type Patience = (error: unknown, hasProgressed: boolean) => Promise<void>;

/**
 * Creates the policy by which an activity waits for a model. If the provider asks to slow down, waits as long as it
 * says; this is not a failure and does not count as an attempt. If the model does not answer, waits longer each time,
 * up to `patienceMs` without progress, then throws the error so that Temporal retries. A local activity, which must be
 * short, does not wait.
 */
export function createPatience(
  signal: AbortSignal,
  waits: Waits,
  { patienceMs, embedder }: { patienceMs: number; embedder?: Pick<Embedder, 'pausedMs'> },
): Patience {
  const mayWait = !isLocal();
  let waitMs = FIRST_WAIT_MS;
  let waitedMs = 0;
  return async (error, hasProgressed) => {
    if (hasProgressed) [waitMs, waitedMs] = [FIRST_WAIT_MS, 0];
    if (!mayWait || !(error instanceof ReembedError) || !error.type.startsWith('Model') || !error.retryable)
      throw error;
    const isAsked = error.type === 'ModelRateLimited';
    if (waitedMs >= (isAsked ? MAX_ASKED_MS : patienceMs)) throw error;
    const forMs = Math.max(MIN_WAIT_MS, (isAsked ? error.retryAfterMs : undefined) ?? waitMs);
    if (forMs >= REPORTED_MS || waitedMs >= REPORTED_MS) waits.begin(error, forMs);
    if (isAsked) waits.held(forMs);
    const untilMs = Date.now() + forMs;
    for (let leftMs = forMs; leftMs > 0; leftMs = untilMs - Date.now()) {
      await delay(Math.min(leftMs, CHECK_MS), undefined, { signal });
      // Stop waiting if the pause was lifted.
      if (error.retryAfterMs !== undefined && (await embedder?.pausedMs?.()) === 0) break;
    }
    waitedMs += forMs;
    waitMs = Math.min(MAX_WAIT_MS, waitMs * 2);
  };
}

/** Returns a wait that takes as long as asked, but at most `patienceMs`. */
export function pauseWithin(patienceMs: number): (ms: number, signal: AbortSignal) => Promise<void> {
  return (ms, signal) => delay(Math.min(ms, patienceMs), undefined, { signal });
}

/** Runs `work` until it succeeds, waiting by the given policy. */
export async function waitOutModel<R>(patience: Patience, work: () => Promise<R>): Promise<R> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      await patience(error, false);
    }
  }
}
