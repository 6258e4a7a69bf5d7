import type { MiddlewareHandler } from 'hono';
import type { ApiLog } from '../problems.ts';
import type { ApiEnv } from '../router.ts';

/** Asked every few seconds by machines. */
const QUIET_PATHS = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * One line per request: method, path, status, time. Not the query, the headers or the bodies, which may hold tokens
 * and users' data.
 */
export function accessLog(log: ApiLog): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const start = performance.now();
    await next();
    if (QUIET_PATHS.has(c.req.path) && c.res.ok) return;
    const ms = Math.round(performance.now() - start);
    const by = c.get('caller');
    log.info(
      { requestId: c.get('requestId'), by, method: c.req.method, path: c.req.path, status: c.res.status, ms },
      'request',
    );
  };
}
