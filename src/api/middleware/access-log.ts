import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../create-router.ts';
import type { ApiLog } from '../problems.ts';
import { taskOf } from '../request-task.ts';

/** Paths that machines request every few seconds. */
export const QUIET_PATHS = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * Logs one line per request: method, path, status, time, and the task it refers to. The query, headers and bodies are
 * left out, as they may hold tokens and users' data.
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
