import type { Context, MiddlewareHandler } from 'hono';
import { ReembedError } from '../../contract/errors.ts';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses requests that a browser sends on behalf of another site's page: every change, and every read by its scripts.
 * Without tokens, reaching the address is enough, and a page may send bodies without a type without a preflight. Other
 * programs send neither header and pass, and so do links and pages of allowed sites.
 */
export function sameOrigin(allowed: (c: Context) => readonly string[]): MiddlewareHandler {
  return async (c, next) => {
    const origin = c.req.header('origin');
    if (
      (!SAFE_METHODS.has(c.req.method) || (origin !== undefined && c.req.method !== 'OPTIONS')) &&
      isForeign(c.req.header('sec-fetch-site'), origin, c.req.url) &&
      !(origin !== undefined && allowed(c).includes(origin))
    ) {
      throw new ReembedError('Forbidden', 'pages of other sites may not call this');
    }
    return next();
  };
}

function isForeign(site: string | undefined, origin: string | undefined, url: string): boolean {
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== new URL(url).host;
}
