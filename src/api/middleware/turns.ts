import { setImmediate } from 'node:timers/promises';
import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../create-router.ts';

/** Requests that start before other ready work runs: a few milliseconds. */
const AT_A_TIME = 4;

/**
 * Starts requests a few at a time, in order of arrival. A thousand requests that arrive at once would otherwise block the
 * event loop until the last one has started. Paths in `skips` (probes) never wait.
 */
export function beginInTurns(skips: ReadonlySet<string>): MiddlewareHandler<ApiEnv> {
  const waiting: (() => void)[] = [];
  let begun = 0;
  let isServing = false;
  async function serve(): Promise<void> {
    while (begun > 0 || waiting.length > 0) {
      await setImmediate();
      begun = 0;
      while (waiting.length > 0 && begun < AT_A_TIME) {
        begun += 1;
        waiting.shift()?.();
      }
    }
    isServing = false;
  }
  return async (c, next) => {
    if (skips.has(c.req.path)) return next();
    if (begun < AT_A_TIME && waiting.length === 0) begun += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    if (!isServing) {
      isServing = true;
      void serve();
    }
    return next();
  };
}
