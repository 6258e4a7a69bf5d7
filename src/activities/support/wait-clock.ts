import type { OnWait } from './yield-to-live-traffic.ts';

/** Measures the time in which at least one of several waited; overlapping waits count once. */
export function createWaitClock(): { add: OnWait; ms: () => number } {
  let countedToMs = Number.NEGATIVE_INFINITY;
  let ms = 0;
  return {
    add(fromMs, toMs) {
      // Waits are added in order, so everything counted so far lies before.
      ms += Math.max(0, toMs - Math.max(fromMs, countedToMs));
      countedToMs = Math.max(countedToMs, toMs);
    },
    ms: () => Math.round(ms),
  };
}
