import { ReembedError } from '../contract/errors.ts';

/**
 * Runs `run` with a signal that is aborted after `timeoutMs`, or when `signal` is. Whatever `run` then throws, the
 * promise rejects at once: with a retryable `LoadFailed`, or with the reason of `signal`.
 *
 * Not `AbortSignal.any` with `AbortSignal.timeout`: on Node 20 each leaves something behind on the long-lived signal,
 * and an activity loads many thousands of payloads under one.
 */
export async function withDeadline<T>(
  what: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const timedOut = () =>
    controller.abort(new ReembedError('LoadFailed', `${what} was not loaded within ${timeoutMs} ms`));
  const canceled = () => controller.abort(signal?.reason);
  const timer = setTimeout(timedOut, timeoutMs);
  signal?.addEventListener('abort', canceled, { once: true });
  try {
    const aborted = new Promise<never>((_, reject) => {
      controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true });
    });
    return await Promise.race([run(controller.signal), aborted]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', canceled);
  }
}
