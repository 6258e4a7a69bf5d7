import type { Context, Env, MiddlewareHandler } from 'hono';
import { ReembedError } from '../../contract/errors.ts';
import { problemResponse } from '../problems.ts';

/**
 * Creates a middleware that continues a request once `check` has passed. It answers a `ReembedError` of the check
 * itself, so an app around the routers does not need to know how errors become answers.
 */
export function passIf<E extends Env>(check: (c: Context<E>) => void | Promise<void>): MiddlewareHandler<E> {
  return async (c, next) => {
    try {
      await check(c);
    } catch (error) {
      if (error instanceof ReembedError) return problemResponse(c, error);
      throw error;
    }
    return next();
  };
}
