import type { Context } from 'hono';
import { matchedRoutes } from 'hono/route';

/** Returns the route that will answer, such as `GET /v1/indexes/:index`, or undefined. HEAD is handled as GET. */
export function routeOf(c: Context): string | undefined {
  const route = matchedRoutes(c).at(-1);
  return route && route.method !== 'ALL' ? `${route.method} ${route.path}` : undefined;
}

/** Property in which Hono keeps the handler of a router with its own error handler. */
const COMPOSED = '__COMPOSED_HANDLER';

/**
 * Returns all routes that may answer, without middleware. Which of them does is known only afterwards, since a handler
 * may pass a request on. A route for all methods is `ALL /path`.
 */
export function routesOf(c: Context): string[] {
  const routes = matchedRoutes(c)
    .filter(({ method, handler }) => method !== 'ALL' || !isMiddleware(handler))
    .map(({ method, path }) => `${method} ${path}`);
  return [...new Set(routes)];
}

/** Middleware takes `next`; Hono itself distinguishes the two this way. */
function isMiddleware(handler: unknown): boolean {
  let inner = handler as { length: number; [COMPOSED]?: unknown };
  while (inner[COMPOSED] !== undefined) inner = inner[COMPOSED] as typeof inner;
  return inner.length > 1;
}
