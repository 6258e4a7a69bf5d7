import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { ChunkWaits } from '../../contract/task-pace.ts';
import { createWaitClock } from './wait-clock.ts';
import { waitsOf } from './waits.ts';
import type { OnWait, Yielding } from './yield-to-live-traffic.ts';

/** Measures what the running activity waits for. */
export interface WaitMeter {
  onLive: OnWait;
  onRate: OnWait;
  /** Returns what measures both waits for one that looks at many objects. */
  wrap(yielding: Yielding): { yielding: Yielding; onRate: OnWait };
  /** Returns the waits so far. */
  read(): ChunkWaits;
}

/** Begins to measure what the running activity waits for. */
export function createWaitMeter(client: Client): WaitMeter {
  const { info } = Context.current();
  const startedMs = performance.now();
  const live = createWaitClock();
  const rate = createWaitClock();
  const waits = waitsOf(client);
  // Earlier attempts and the time between them are no wait for a worker.
  const earlierMs = Math.max(0, info.currentAttemptScheduledTimestampMs - info.scheduledTimestampMs);
  return {
    onLive: live.add,
    onRate: rate.add,
    wrap: (yielding) => ({ yielding: (signal, write) => yielding(signal, write, live.add), onRate: rate.add }),
    read() {
      const hereMs = Math.round(performance.now() - startedMs);
      return {
        ranMs: earlierMs + hereMs,
        liveMs: Math.min(hereMs, live.ms()),
        rateMs: Math.min(hereMs, rate.ms()),
        modelMs: Math.min(hereMs, waits.heldMs()),
      };
    },
  };
}
