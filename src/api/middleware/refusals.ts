import { setTimeout as sleep } from 'node:timers/promises';

export interface RefusalOptions {
  /** Wrong tokens without a delay, for a caller that made a typo. */
  free?: number;
  /** First delay; each further one is twice as long. */
  firstMs?: number;
  maxMs?: number;
  /** Time without a wrong token after which the count of a caller is reset. */
  forgetMs?: number;
  /** Max callers that are remembered, and max answers that are delayed at the same time. */
  maxCallers?: number;
  maxHeld?: number;
}

interface Refused {
  times: number;
  lastMs: number;
}

/**
 * Creates a function that delays the refusal of a wrong token, longer each time that the same address sends one, so
 * that tokens cannot be guessed at full speed. Its memory and the number of delayed answers are bounded.
 */
export function createRefusals(options: RefusalOptions = {}): (address: string) => Promise<void> {
  const { free = 3, firstMs = 100, maxMs = 2_000, forgetMs = 60_000, maxCallers = 10_000, maxHeld = 200 } = options;
  const refused = new Map<string, Refused>();
  let held = 0;
  return async (address) => {
    const now = Date.now();
    const before = refused.get(address);
    const times = before && now - before.lastMs < forgetMs ? before.times + 1 : 1;
    refused.delete(address); // moves to the end: the oldest is removed first
    refused.set(address, { times, lastMs: now });
    if (refused.size > maxCallers) refused.delete(refused.keys().next().value as string);
    const delayMs = times <= free ? 0 : Math.min(maxMs, firstMs * 2 ** Math.min(times - free - 1, 30));
    if (delayMs === 0 || held >= maxHeld) return;
    held++;
    try {
      await sleep(delayMs, undefined, { ref: false });
    } finally {
      held--;
    }
  };
}
