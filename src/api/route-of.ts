import type { Context } from 'hono';
import { matchedRoutes } from 'hono/route';

/** The route that will answer, as `GET /v1/indexes/:index`; undefined when there is none. HEAD is answered as GET. */
export function routeOf(c: Context): string | undefined {
  const route = matchedRoutes(c).at(-1);
  return route && route.method !== 'ALL' ? `${route.method} ${route.path}` : undefined;
}

/** Where Hono keeps the handler of a router that has an error handler of its own. */
const COMPOSED = '__COMPOSED_HANDLER';

/**
 * All routes that may answer, without middleware: which of them does is known only afterwards, for a handler may pass a
 * request on. A route for all methods is `ALL /path`.
 */
export function routesOf(c: Context): string[] {
  const routes = matchedRoutes(c)
    .filter(({ method, handler }) => method !== 'ALL' || !isMiddleware(handler))
    .map(({ method, path }) => `${method} ${path}`);
  return [...new Set(routes)];
}

/** Middleware takes `next`, as Hono itself tells the two apart. */
function isMiddleware(handler: unknown): boolean {
  let inner = handler as { length: number; [COMPOSED]?: unknown };
  while (inner[COMPOSED] !== undefined) inner = inner[COMPOSED] as typeof inner;
  return inner.length > 1;
}
