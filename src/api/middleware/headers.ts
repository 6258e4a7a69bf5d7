import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

type Options = NonNullable<Parameters<typeof secureHeaders>[0]>;

/** HTTPS is left to the proxy in front. */
const COMMON: Options = { strictTransportSecurity: false, xFrameOptions: 'DENY' };

/** Pages may load only from here. */
const OF_PAGES = secureHeaders({
  ...COMMON,
  contentSecurityPolicy: {
    defaultSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    objectSrc: ["'none'"],
    baseUri: ["'none'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
  },
});

/** No other answer is a page: a browser that renders one must load nothing. */
const OF_DATA = secureHeaders({
  ...COMMON,
  contentSecurityPolicy: { defaultSrc: ["'none'"], baseUri: ["'none'"], frameAncestors: ["'none'"] },
});

const done = async () => {};

/** Sets headers that forbid browsers to guess types, to frame answers, and to load resources from other sites. */
export function safeHeaders(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    const isPage = c.res.headers.get('content-type')?.startsWith('text/html') ?? false;
    await (isPage ? OF_PAGES : OF_DATA)(c, done);
  };
}
