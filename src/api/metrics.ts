import type { MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { Metrics } from '../metrics/metrics.ts';
import type { ApiEnv } from './create-router.ts';
import { isEventStream, onSent } from './response-end.ts';

/** Counts HTTP requests by route pattern, so that ids never become labels. */
export function countRequests(metrics: Metrics): MiddlewareHandler<ApiEnv> {
  const { httpRequests, httpRequestSeconds, httpInFlight, httpStreams } = metrics;
  return async (c, next) => {
    const start = performance.now();
    httpInFlight.inc();
    try {
      await next();
    } finally {
      httpInFlight.dec();
    }
    const handler = matchedRoutes(c).at(-1);
    const route = handler && handler.method !== 'ALL' ? handler.path : 'none';
    const labels = { method: c.req.method, route, status: String(c.res.status) };
    httpRequests.inc(labels);
    httpRequestSeconds.observe(labels, (performance.now() - start) / 1_000);
    if (c.req.method !== 'HEAD' && isEventStream(c.res)) {
      httpStreams.inc();
      onSent(c, () => httpStreams.dec());
    }
  };
}
