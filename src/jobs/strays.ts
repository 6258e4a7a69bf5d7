import { AsyncLocalStorage } from 'node:async_hooks';
import { handlerFailure } from './failure.ts';

/**
 * Errors of handlers that nothing waits for: a promise that is rejected unheard, an exception on a timer. Node tells the
 * whole process of them; what a handler has begun carries the attempt with it, so that the attempt alone fails.
 */
interface Attempt {
  name: string;
  taskId: string;
  over: boolean;
  fail(error: unknown): void;
}

const attempts = new AsyncLocalStorage<Attempt>();
const running = new Set<Attempt>();

/** Runs an attempt of a job; it fails with the first error that it leaves unhandled. */
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
 * To be called with an error that nothing handles, where Node tells of it. Fails the attempt that it is of, unless that is
 * over, and returns it. An error that carries no attempt is that of the only one that runs, if there is one alone.
 */
export function takeStray(error: unknown): Pick<Attempt, 'name' | 'taskId' | 'over'> | undefined {
  const [only, ...others] = running;
  const attempt = attempts.getStore() ?? (others.length === 0 ? only : undefined);
  attempt?.fail(error);
  return attempt;
}
