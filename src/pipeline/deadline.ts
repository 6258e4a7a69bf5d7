import { ReembedError } from '../contract/errors.ts';
import { startDeadline } from '../net/deadline.ts';

/**
 * Runs `run` with a signal that aborts after `timeoutMs` or with `signal`. The promise then rejects immediately,
 * whatever `run` throws: with a retryable `LoadFailed`, or with the reason of `signal`.
 */
export async function withDeadline<T>(
  what: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const late = () => new ReembedError('LoadFailed', `${what} was not loaded within ${timeoutMs} ms`);
  const deadline = startDeadline(timeoutMs, signal, late);
  try {
    const aborted = new Promise<never>((_, reject) => {
      deadline.signal.addEventListener('abort', () => reject(deadline.signal.reason), { once: true });
    });
    return await Promise.race([run(deadline.signal), aborted]);
  } finally {
    deadline.stop();
  }
}
