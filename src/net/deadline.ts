export interface Deadline {
  signal: AbortSignal;
  /** True if the time limit has aborted the signal. */
  expired(): boolean;
  /** Releases the timer and the caller's signal; call it when the work has ended. */
  stop(): void;
}

/**
 * Starts a signal that aborts with the caller's signal or after `timeoutMs`. Does not use the built-in functions:
 * `AbortSignal.timeout` keeps its timer until it ends, and `AbortSignal.any` leaves a reference on the caller's signal
 * for each of the many thousands of calls of an activity.
 */
export function startDeadline(
  timeoutMs: number | undefined,
  signal: AbortSignal | undefined,
  reason: () => Error = () => new DOMException('The time limit was reached', 'TimeoutError'),
): Deadline {
  const controller = new AbortController();
  let expired = false;
  const abort = () => controller.abort(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const expire = () => {
    expired = true;
    controller.abort(reason());
  };
  const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs);
  return {
    signal: controller.signal,
    expired: () => expired,
    stop() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    },
  };
}
