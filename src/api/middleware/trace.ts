import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../create-router.ts';
import { routeOf } from '../request-route.ts';
import { taskOf } from '../request-task.ts';
import { QUIET_PATHS } from './access-log.ts';

/**
 * Records a span for each request that a route answers, in the trace of the caller if there is one. It contains only
 * the route: addresses hold ids, and queries and bodies hold users' data.
 */
export function traceRequests(): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const route = routeOf(c);
    if (route === undefined || QUIET_PATHS.has(c.req.path)) return next();
    const parent = propagation.extract(context.active(), c.req.header());
    const [, path = ''] = route.split(' ');
    const attributes = {
      'http.request.method': c.req.method,
      'http.route': path,
      'reembed.request.id': c.get('requestId'),
    };
    const options = { kind: SpanKind.SERVER, attributes };
    await trace.getTracer('reembed').startActiveSpan(route, options, parent, async (span) => {
      try {
        await next();
      } finally {
        const taskId = taskOf(c);
        if (taskId !== undefined) span.setAttribute('temporal.workflow.id', taskId);
        span.setAttribute('http.response.status_code', c.res.status);
        if (c.res.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      }
    });
  };
}
