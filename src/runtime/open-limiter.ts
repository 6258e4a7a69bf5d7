import type { CallLimiter, Turn } from '../models/limited.ts';
import { isConnectionError } from '../store/sqlstate.ts';

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
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), SILENT_MS);
    });
    try {
      const answer = await Promise.race([ask(), late]);
      if (answer !== 'late') return answer;
      onAway(new Error(`no answer within ${SILENT_MS} ms`));
    } catch (error) {
      if (!isConnectionError(error)) throw error;
      onAway(error);
    } finally {
      clearTimeout(timer);
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
