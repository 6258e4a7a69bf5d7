import type { Context } from 'hono';
import { matchedRoutes } from 'hono/route';

/** The route that will answer, as `GET /v1/indexes/:index`; undefined when there is none. HEAD is answered as GET. */
export function routeOf(c: Context): string | undefined {
  const route = matchedRoutes(c).at(-1);
  return route && route.method !== 'ALL' ? `${route.method} ${route.path}` : undefined;
}
