import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Embedder } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import type { Waits } from './waits.ts';

/** An activity works this long, then returns its cursor: pauses, cancels and throttles take hold between. */
export const CHUNK_MS = 10_000;
const HEARTBEAT_MS = 2_000;
/** Of those sent between, as the activity gets on: each one is a write of the Temporal server. */
const LEAST_BETWEEN_MS = 1_000;
const LEAST_WAIT_MS = 500;
/** A wait from which on the task is told. */
const TOLD_MS = 1_000;
/** How soon it is noticed that a pause which a provider has asked for was lifted. */
const LOOK_MS = 1_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** How long an activity waits for a model that does not answer, without any progress. */
export const MODEL_PATIENCE_MS = 30_000;
/** The same for a model that asks to slow down again and again. */
const MOST_ASKED_MS = 45 * 60_000;

/** A running activity: its cancellation, and a heartbeat that carries where it is. */
export interface Running<T> {
  signal: AbortSignal;
  /** Where an earlier try of this activity was when it died. */
  resumedFrom: T | undefined;
  /** Sets what the heartbeats carry from now on, and sends one if none was sent for a while. */
  beat(details: T): void;
  /** True once the activity has used up its time. */
  isTimeUp(): boolean;
}

/** Runs the body of an activity with heartbeats every `everyMs`, however long a single step takes. */
export async function runWithHeartbeat<T, R>(
  body: (running: Running<T>) => Promise<R>,
  options: { everyMs?: number } = {},
): Promise<R> {
  const context = Context.current();
  const startedMs = Date.now();
  let details = context.info.heartbeatDetails as T | undefined;
  // A local activity has no heartbeats: its workflow task stands for it.
  let lastMs = startedMs;
  const heartbeat = () => {
    lastMs = Date.now();
    if (!context.info.isLocal) context.heartbeat(details);
  };
  const timer = setInterval(heartbeat, options.everyMs ?? HEARTBEAT_MS);
  try {
    return await body({
      signal: context.cancellationSignal,
      resumedFrom: details,
      beat(next) {
        details = next;
        if (Date.now() - lastMs >= LEAST_BETWEEN_MS) heartbeat();
      },
      isTimeUp: () => Date.now() - startedMs > CHUNK_MS,
    });
  } catch (error) {
    // The next try goes on from here.
    heartbeat();
    throw error;
  } finally {
    clearInterval(timer);
  }
}

type Functions = Record<string, (...args: never[]) => Promise<unknown>>;

/** The same activities, with heartbeats as long as they run: it is noticed soon when their worker dies. */
export function withHeartbeats<T extends object>(activities: T): T {
  return Object.fromEntries(
    Object.entries(activities as Functions).map(([name, run]) => [
      name,
      (...args: never[]) => runWithHeartbeat(() => run(...args)),
    ]),
  ) as T;
}

/** True within a local activity, which must be short. */
export function isLocal(): boolean {
  return Context.current().info.isLocal;
}

/** Waits until a model may be asked again, or throws its error. */
export type Patience = (error: unknown, hasProgressed: boolean) => Promise<void>;

/**
 * How an activity waits for a model. When the provider asks to slow down, as long as it says: waiting is not failing and
 * uses up no try. When the model does not answer, for `patienceMs` without progress, longer and longer each time: then the
 * error is thrown, and it is Temporal that tries again. A local activity, which must be short, does not wait.
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
    if (waitedMs >= (isAsked ? MOST_ASKED_MS : patienceMs)) throw error;
    const forMs = Math.max(LEAST_WAIT_MS, (isAsked ? error.retryAfterMs : undefined) ?? waitMs);
    if (forMs >= TOLD_MS || waitedMs >= TOLD_MS) waits.begin(error, forMs);
    const untilMs = Date.now() + forMs;
    for (let leftMs = forMs; leftMs > 0; leftMs = untilMs - Date.now()) {
      await delay(Math.min(leftMs, LOOK_MS), undefined, { signal });
      // Someone has lifted it.
      if (error.retryAfterMs !== undefined && (await embedder?.pausedMs?.()) === 0) break;
    }
    waitedMs += forMs;
    waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
  };
}

/** Waits as long as asked, but no longer than a model that does not answer is waited for at all. */
export function pauseWithin(patienceMs: number): (ms: number, signal: AbortSignal) => Promise<void> {
  return (ms, signal) => delay(Math.min(ms, patienceMs), undefined, { signal });
}

/** Runs `work` until it succeeds, as patiently as above. */
export async function patiently<R>(patience: Patience, work: () => Promise<R>): Promise<R> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      await patience(error, false);
    }
  }
}

/** Keeps a rate: call after each batch with the number of objects done. */
export function createPacer(ratePerSecond: number | null, signal: AbortSignal): (objects: number) => Promise<void> {
  let dueMs = Date.now();
  return async (objects) => {
    if (ratePerSecond === null) return;
    dueMs = Math.max(dueMs, Date.now() - 1_000) + (objects / ratePerSecond) * 1_000;
    const waitMs = dueMs - Date.now();
    if (waitMs > 0) await delay(waitMs, undefined, { signal });
  };
}
