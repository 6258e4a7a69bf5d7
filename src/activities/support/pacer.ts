import { setTimeout as delay } from 'node:timers/promises';

/** Creates a rate limiter: call it after each batch with the number of processed objects. */
export function createPacer(ratePerSecond: number | null, signal: AbortSignal): (objects: number) => Promise<void> {
  let dueMs = Date.now();
  return async (objects) => {
    if (ratePerSecond === null) return;
    dueMs = Math.max(dueMs, Date.now() - 1_000) + (objects / ratePerSecond) * 1_000;
    const waitMs = dueMs - Date.now();
    if (waitMs > 0) await delay(waitMs, undefined, { signal });
  };
}
