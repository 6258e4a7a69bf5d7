import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';

export interface CorsOptions {
  /** Sites whose pages may call: scheme, host and port, nothing more and no pattern. */
  origins: readonly string[];
  /** Also with what the browser itself adds for this address, as for a proxy in front that asks who it is. */
  credentials?: boolean;
}

const SEEN_HEADERS = ['X-Request-Id', 'Location', 'Retry-After', 'RateLimit', 'RateLimit-Policy'];
const PREFLIGHT_SECONDS = 600;

/** Lets pages of these sites call; without any, browsers keep all other sites' pages out, and nothing is said of it. */
export function allowOrigins({ origins, credentials = false }: CorsOptions): MiddlewareHandler {
  if (origins.length === 0) return (_c, next) => next();
  return cors({
    origin: (origin) => (origins.includes(origin) ? origin : null),
    credentials,
    allowMethods: ['GET', 'PUT', 'POST', 'DELETE'],
    allowHeaders: ['Authorization', 'Content-Type', 'Last-Event-ID', 'X-Request-Id', 'X-Namespace'],
    exposeHeaders: SEEN_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
  });
}
