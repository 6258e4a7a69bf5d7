import type { MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';

export interface Metrics {
  /** For metrics of one's own. */
  registry: Registry;
  middleware: MiddlewareHandler;
}

/** Metrics of the process and of its HTTP requests, by route pattern, so that ids never become labels. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const labelNames = ['method', 'route', 'status'] as const;
  const requests = new Counter({
    name: 'reembed_http_requests_total',
    help: 'HTTP requests answered',
    labelNames,
    registers: [registry],
  });
  const seconds = new Histogram({
    name: 'reembed_http_request_duration_seconds',
    help: 'Time until the answer began',
    labelNames,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
  return {
    registry,
    async middleware(c, next) {
      const start = performance.now();
      await next();
      const handler = matchedRoutes(c).at(-1);
      const route = handler && handler.method !== 'ALL' ? handler.path : 'none';
      const labels = { method: c.req.method, route, status: String(c.res.status) };
      requests.inc(labels);
      seconds.observe(labels, (performance.now() - start) / 1_000);
    },
  };
}
