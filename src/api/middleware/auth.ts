import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import type { ApiToken } from '../../contract/api-tokens.ts';
import { ReembedError } from '../../contract/errors.ts';
import { mayDo } from '../../contract/roles.ts';
import type { AccessTable } from '../access.ts';
import { routeOf } from '../route-of.ts';
import type { ApiEnv } from '../router.ts';

export interface AuthOptions {
  /** A function is asked at every request, so that tokens may come and go. */
  tokens: readonly ApiToken[] | (() => readonly ApiToken[]);
  /** Which role each route needs. */
  access: AccessTable;
}

/**
 * Lets a request through that carries one of the tokens (`Authorization: Bearer …`) whose role is enough for the route
 * that it asks for. A route that the table does not have is refused. Errors: `Unauthorized`, `Forbidden`.
 *
 * @example
 * const tokens = [{ name: 'ann', role: 'operate', token: process.env.TOKEN }];
 * app.use(auth({ tokens, access: { 'GET /': 'open', ...taskAccess('/documents') } }));
 */
export function auth({ tokens, access }: AuthOptions): MiddlewareHandler<ApiEnv> {
  const tokenOf = finder(tokens);
  return async (c, next) => {
    const route = routeOf(c);
    const least = route === undefined ? undefined : access[route];
    if (least === 'open') return next();
    const [, given] = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '') ?? [];
    if (given === undefined) throw new ReembedError('Unauthorized', 'send a token: Authorization: Bearer …');
    const token = tokenOf(given);
    if (!token) throw new ReembedError('Unauthorized', 'the token is not known');
    c.set('caller', token.name);
    c.set('role', token.role);
    // What is at no route is told by those who come after.
    if (route === undefined) return next();
    if (least === undefined) throw new ReembedError('Forbidden', 'no role may call this route');
    if (!mayDo(token.role, least)) {
      throw new ReembedError('Forbidden', `this needs the role ${least}; the token ${token.name} has ${token.role}`);
    }
    return next();
  };
}

/**
 * Finds the token that was sent. Every one is compared, and in constant time: digests have one length, so neither a
 * token's length nor its first letters can be found out.
 */
function finder(tokens: AuthOptions['tokens']): (given: string) => ApiToken | undefined {
  const hashes = new WeakMap<ApiToken, Buffer>();
  const hashOf = (token: ApiToken) => {
    const hash = hashes.get(token) ?? ('sha256' in token ? Buffer.from(token.sha256, 'hex') : digest(token.token));
    hashes.set(token, hash);
    return hash;
  };
  return (given) => {
    const hash = digest(given);
    const known = typeof tokens === 'function' ? tokens() : tokens;
    return known.filter((token) => timingSafeEqual(hashOf(token), hash))[0];
  };
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
