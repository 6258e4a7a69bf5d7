import { setTimeout as delay } from 'node:timers/promises';
import type { OnWait } from './yield-to-live-traffic.ts';

/**
 * Creates a rate limiter: call it after each batch with the number of processed objects. `onWait` gets the time in
 * milliseconds that the rate took.
 */
export function createPacer(
  ratePerSecond: number | null,
  signal: AbortSignal,
  onWait: OnWait = () => {},
): (objects: number) => Promise<void> {
  let dueMs = Date.now();
  return async (objects) => {
    if (ratePerSecond === null) return;
    dueMs = Math.max(dueMs, Date.now() - 1_000) + (objects / ratePerSecond) * 1_000;
    const waitMs = dueMs - Date.now();
    if (waitMs <= 0) return;
    const fromMs = performance.now();
    await delay(waitMs, undefined, { signal });
    onWait(fromMs, performance.now());
  };
}
