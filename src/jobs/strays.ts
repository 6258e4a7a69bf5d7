import { AsyncLocalStorage } from 'node:async_hooks';
import { handlerFailure } from './failure.ts';

/**
 * Unhandled errors of handlers: a rejected promise without a listener, an exception in a timer. Node reports them to
 * the whole process; the attempt is stored in the async context of its handler, so that only this attempt fails.
 */
interface Attempt {
  name: string;
  taskId: string;
  over: boolean;
  fail(error: unknown): void;
}

const attempts = new AsyncLocalStorage<Attempt>();
const running = new Set<Attempt>();

/** Runs an attempt of a job; the attempt fails with its first unhandled error. */
export async function withStrays<T>(job: { name: string; taskId: string }, run: () => Promise<T>): Promise<T> {
  let fail: Attempt['fail'] = () => {};
  const stray = new Promise<never>((_, reject) => {
    fail = (error) => reject(handlerFailure(error));
  });
  stray.catch(() => {});
  const attempt: Attempt = { ...job, over: false, fail };
  running.add(attempt);
  try {
    return await Promise.race([attempts.run(attempt, run), stray]);
  } finally {
    attempt.over = true;
    running.delete(attempt);
  }
}

/**
 * Call this with an unhandled error that Node reports. Fails the attempt that caused it, unless that is over, and
 * returns the attempt. An error without an attempt in its context is attributed to the running attempt if there is only
 * one.
 */
export function takeStray(error: unknown): Pick<Attempt, 'name' | 'taskId' | 'over'> | undefined {
  const [only, ...others] = running;
  const attempt = attempts.getStore() ?? (others.length === 0 ? only : undefined);
  attempt?.fail(error);
  return attempt;
}
