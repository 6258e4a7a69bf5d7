import type { CallLimiter, Turn } from '../models/limited.ts';
import { isConnectionError } from '../store/sqlstate.ts';
import { within } from '../store/within.ts';

/** A database that has not answered for so long is away. */
const SILENT_MS = 2_000;
/** How long a database that is away is not asked again. */
const PAUSE_MS = 5_000;

/**
 * Lets calls of models pass while the database with their limits is away: the work of other databases goes on, and a
 * provider that is asked too often says so itself.
 */
export function openWhenAway(limiter: CallLimiter, onAway: (error: unknown) => void): CallLimiter {
  let awayUntilMs = 0;
  const orOpen = async <T>(ask: () => Promise<T>, open: T): Promise<T> => {
    if (Date.now() < awayUntilMs) return open;
    const late = new Error(`no answer within ${SILENT_MS} ms`);
    try {
      return await within(SILENT_MS, ask, late);
    } catch (error) {
      if (error !== late && !isConnectionError(error)) throw error;
      onAway(error);
    }
    awayUntilMs = Date.now() + PAUSE_MS;
    return open;
  };
  const passes: Turn = { isBooked: true, waitMs: 0, pausedMs: 0 };
  return {
    book: (...call) => orOpen(() => limiter.book(...call), passes),
    pause: (...call) => orOpen(() => limiter.pause(...call), undefined),
    pauseOf: (...call) => orOpen(() => limiter.pauseOf(...call), 0),
  };
}
