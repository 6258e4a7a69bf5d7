import type { MiddlewareHandler } from 'hono';
import { ReembedError } from '../../contract/errors.ts';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses changes that a browser sends on behalf of another site's page. Without tokens, being able to reach the
 * address is all it takes, and a page may send bodies of no type without asking first. Other programs send neither
 * header and pass.
 */
export function sameOrigin(): MiddlewareHandler {
  return async (c, next) => {
    if (
      !SAFE_METHODS.has(c.req.method) &&
      isForeign(c.req.header('sec-fetch-site'), c.req.header('origin'), c.req.url)
    ) {
      throw new ReembedError('Forbidden', 'pages of other sites may not change anything here');
    }
    return next();
  };
}

function isForeign(site: string | undefined, origin: string | undefined, url: string): boolean {
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== new URL(url).host;
}
