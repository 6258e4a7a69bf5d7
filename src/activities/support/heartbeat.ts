import { Context } from '@temporalio/activity';
import { HEARTBEAT } from '../../contract/heartbeats.ts';
import { wrapEach } from '../../contract/wrap-each.ts';

/** An activity works this long, then returns its cursor; pauses, cancels and throttles take effect in between. */
export const CHUNK_MS = 10_000;

/** A running activity: its cancellation signal, and heartbeats that carry its progress. */
export interface Running<T> {
  signal: AbortSignal;
  /** The progress of an earlier attempt that died. */
  resumedFrom: T | undefined;
  /** Sets the progress that heartbeats carry from now on, and sends one if the last was some time ago. */
  beat(details: T): void;
  /** True when the activity has used up its time. */
  isTimeUp(): boolean;
}

/** Runs the body of an activity with heartbeats, however long a single step takes. */
export async function runWithHeartbeat<T, R>(body: (running: Running<T>) => Promise<R>): Promise<R> {
  const context = Context.current();
  const startedMs = Date.now();
  let details = context.info.heartbeatDetails as T | undefined;
  // A local activity has no heartbeats; its workflow task has a timeout instead.
  let lastMs = startedMs;
  const heartbeat = () => {
    lastMs = Date.now();
    if (!context.info.isLocal) context.heartbeat(details);
  };
  const timer = setInterval(heartbeat, HEARTBEAT.everyMs);
  try {
    return await body({
      signal: context.cancellationSignal,
      resumedFrom: details,
      beat(next) {
        details = next;
        if (Date.now() - lastMs >= HEARTBEAT.everyMs) heartbeat();
      },
      isTimeUp: () => Date.now() - startedMs > CHUNK_MS,
    });
  } catch (error) {
    // The next attempt continues from here.
    heartbeat();
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** Wraps activities so that they send heartbeats while they run: a dead worker is detected early. */
export function withHeartbeats<T extends object>(activities: T): T {
  return wrapEach(activities, (run, args) => runWithHeartbeat(() => run(...args)));
}

/** Whether this is a local activity, which must be short. */
export function isLocal(): boolean {
  return Context.current().info.isLocal;
}
