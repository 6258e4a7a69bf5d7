import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { CANARY_HEADER } from '../../contract/read-shares.ts';

export interface CorsOptions {
  /** Origins whose pages may call: scheme, host and port only; patterns are not supported. */
  origins: readonly string[];
  /** Allows credentials that the browser adds by itself, such as cookies of an authenticating proxy. */
  credentials?: boolean;
}

const SEEN_HEADERS = ['X-Request-Id', 'Location', 'Retry-After', 'RateLimit', 'RateLimit-Policy'];
const PREFLIGHT_SECONDS = 600;

/** Allows pages of these origins to call. Without any it sends no CORS headers, so browsers block other sites. */
export function allowOrigins({ origins, credentials = false }: CorsOptions): MiddlewareHandler {
  if (origins.length === 0) return (_c, next) => next();
  return cors({
    origin: (origin) => (origins.includes(origin) ? origin : null),
    credentials,
    allowMethods: ['GET', 'PUT', 'POST', 'PATCH', 'DELETE'],
    allowHeaders: ['Authorization', 'Content-Type', 'Last-Event-ID', 'X-Request-Id', 'X-Namespace', CANARY_HEADER],
    exposeHeaders: SEEN_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
  });
}
