import type { MiddlewareHandler } from 'hono';
import type { ApiLog } from '../problems.ts';
import type { ApiEnv } from '../router.ts';
import { taskOf } from '../task-of.ts';

/** Asked every few seconds by machines. */
export const QUIET_PATHS = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * One line per request: method, path, status, time, and the task it is about. Not the query, the headers or the bodies, which may hold tokens
 * and users' data.
 */
export function accessLog(log: ApiLog): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const start = performance.now();
    await next();
    if (QUIET_PATHS.has(c.req.path) && c.res.ok) return;
    const ms = Math.round(performance.now() - start);
    const by = c.get('caller');
    const taskId = taskOf(c);
    log.info(
      { requestId: c.get('requestId'), by, method: c.req.method, path: c.req.path, taskId, status: c.res.status, ms },
      'request',
    );
  };
}
