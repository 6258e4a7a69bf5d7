import type { Context, MiddlewareHandler } from 'hono';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { ReembedError } from '../../contract/errors.ts';
import { API_ACCESS } from '../access.ts';
import type { ApiEnv } from '../create-router.ts';
import { routeOf } from '../request-route.ts';
import { onSent } from '../response-end.ts';

/** Limits of one token in one API process; without tokens all callers count as one. 0 means no limit. */
export interface RequestLimits {
  /** Requests that begin within each window. */
  perWindow: number;
  windowMs: number;
  /** Concurrent requests, not counting event streams. */
  atOnce: number;
  /** Concurrent event streams. */
  streams: number;
}

/** `Retry-After` if a token has too many requests or streams in progress. */
const BUSY_RETRY_MS = 1_000;

/** A limit that refused a request. */
export type Limit = 'rate' | 'requests' | 'streams';

/** Refuses requests beyond the limits of a token. Error: `TooManyRequests`, with the time to wait. */
export function limitRequests(limits: RequestLimits, onRefused?: (limit: Limit) => void): MiddlewareHandler<ApiEnv> {
  const rate = limitRate(limits, () => onRefused?.('rate'));
  const requests = limitAtOnce(limits.atOnce, 'requests at once', () => onRefused?.('requests'));
  const streams = limitAtOnce(limits.streams, 'open streams of events', () => onRefused?.('streams'));
  return async (c, next) => {
    const route = routeOf(c);
    // Open routes have no token to count by: probes, and the files of the dashboard.
    if (route === undefined || API_ACCESS[route] === 'open') return next();
    const caller = c.get('caller') ?? '';
    await rate(c, caller);
    await (isStream(route, c.req.header('accept')) ? streams : requests)(c, caller, next);
  };
}

/** A list is answered as a page, or as a stream of its changes. */
function isStream(route: string, accept = ''): boolean {
  return route.endsWith('/events') || (route.endsWith('/list') && accept.includes('text/event-stream'));
}

function limitRate(
  { perWindow, windowMs }: RequestLimits,
  refuse: () => void,
): (c: Context<ApiEnv>, caller: string) => Promise<void> {
  if (perWindow === 0) return async () => {};
  const limiter = new RateLimiterMemory({ points: perWindow, duration: windowMs / 1_000 });
  const seconds = Math.ceil(windowMs / 1_000);
  const tell = (c: Context, { remainingPoints, msBeforeNext }: RateLimiterRes) => {
    c.header('RateLimit-Policy', `"token";q=${perWindow};w=${seconds}`);
    c.header('RateLimit', `"token";r=${Math.max(0, remainingPoints)};t=${Math.ceil(msBeforeNext / 1_000)}`);
  };
  return async (c, caller) => {
    const result = await limiter.consume(caller).catch((refused: RateLimiterRes | Error) => {
      if (refused instanceof Error) throw refused;
      tell(c, refused);
      refuse();
      throw new ReembedError('TooManyRequests', `a token may send ${perWindow} requests in ${seconds} seconds`, {
        retryAfterMs: refused.msBeforeNext,
      });
    });
    tell(c, result);
  };
}

type AtOnce = (c: Context<ApiEnv>, caller: string, next: () => Promise<void>) => Promise<void>;

function limitAtOnce(max: number, what: string, refuse: () => void): AtOnce {
  if (max === 0) return (_c, _caller, next) => next();
  const running = new Map<string, number>();
  const count = (caller: string, change: number) => {
    const now = (running.get(caller) ?? 0) + change;
    if (now === 0) running.delete(caller);
    else running.set(caller, now);
  };
  return async (c, caller, next) => {
    if ((running.get(caller) ?? 0) >= max) {
      refuse();
      throw new ReembedError('TooManyRequests', `a token may have ${max} ${what}`, { retryAfterMs: BUSY_RETRY_MS });
    }
    count(caller, 1);
    try {
      await next();
    } finally {
      onSent(c, () => count(caller, -1));
    }
  };
}
