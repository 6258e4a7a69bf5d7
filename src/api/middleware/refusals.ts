import { setTimeout as sleep } from 'node:timers/promises';

export interface RefusalOptions {
  /** Wrong tokens that cost nothing, of a caller that has a slip of the pen. */
  free?: number;
  /** The first delay; each further one is twice as long. */
  firstMs?: number;
  mostMs?: number;
  /** After this time without a wrong token a caller begins anew. */
  forgetMs?: number;
  /** Callers that are remembered, and answers that are held back at the same time. */
  mostCallers?: number;
  mostHeld?: number;
}

interface Refused {
  times: number;
  lastMs: number;
}

/**
 * Makes a function that waits before a wrong token is refused, longer each time that the same address sends one, so that
 * tokens cannot be tried at full speed. What it remembers and holds back is bounded.
 */
export function createRefusals(options: RefusalOptions = {}): (address: string) => Promise<void> {
  const { free = 3, firstMs = 100, mostMs = 2_000, forgetMs = 60_000, mostCallers = 10_000, mostHeld = 200 } = options;
  const refused = new Map<string, Refused>();
  let held = 0;
  return async (address) => {
    const now = Date.now();
    const before = refused.get(address);
    const times = before && now - before.lastMs < forgetMs ? before.times + 1 : 1;
    refused.delete(address); // to the end: the oldest goes first
    refused.set(address, { times, lastMs: now });
    if (refused.size > mostCallers) refused.delete(refused.keys().next().value as string);
    const delayMs = times <= free ? 0 : Math.min(mostMs, firstMs * 2 ** Math.min(times - free - 1, 30));
    if (delayMs === 0 || held >= mostHeld) return;
    held++;
    try {
      await sleep(delayMs, undefined, { ref: false });
    } finally {
      held--;
    }
  };
}
