import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import type { ApiToken } from '../../contract/api-tokens.ts';
import { ReembedError } from '../../contract/errors.ts';
import { mayDo } from '../../contract/roles.ts';
import type { Access, AccessTable } from '../access.ts';
import type { ApiEnv } from '../create-router.ts';
import { routesOf } from '../request-route.ts';
import { passIf } from './check.ts';
import { createRefusals } from './refusals.ts';

export interface AuthOptions {
  /** A function is called for every request, so that tokens may change. */
  tokens: readonly ApiToken[] | (() => readonly ApiToken[]);
  /** Role that each route needs. */
  access: AccessTable;
}

/**
 * Accepts a request that carries one of the tokens (`Authorization: Bearer …`) whose role is enough for every route
 * that may answer it. A route missing in the table is refused. Errors: `Unauthorized`, `Forbidden`.
 *
 * @example
 * const tokens = [{ name: 'ann', role: 'operate', token: process.env.TOKEN }];
 * app.use(auth({ tokens, access: { 'GET /': 'open', ...taskAccess('/documents') } }));
 */
export function auth({ tokens, access }: AuthOptions): MiddlewareHandler<ApiEnv> {
  const tokenOf = finder(tokens);
  const refuse = createRefusals();
  return passIf<ApiEnv>(async (c) => {
    const routes = routesOf(c);
    const needed = routes.map((route) => (Object.hasOwn(access, route) ? access[route] : undefined));
    if (needed.length > 0 && needed.every((least) => least === 'open')) return;
    const [, given] = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '') ?? [];
    if (given === undefined) throw new ReembedError('Unauthorized', 'send a token: Authorization: Bearer …');
    const token = tokenOf(given);
    if (!token) {
      const address = c.env?.incoming?.socket.remoteAddress;
      if (address !== undefined) await refuse(address);
      throw new ReembedError('Unauthorized', 'the token is not known');
    }
    c.set('caller', token.name);
    c.set('role', token.role);
    // Later handlers answer a request that matches no route.
    for (const [at, least] of needed.entries()) {
      if (least === undefined) throw new ReembedError('Forbidden', `no role may call this: ${routes[at]} has no role`);
      if (!isEnough(token, least)) {
        throw new ReembedError('Forbidden', `this needs the role ${least}; the token ${token.name} has ${token.role}`);
      }
    }
    c.set('mayStill', () => {
      const now = tokenOf(given);
      return now !== undefined && needed.every((least) => least !== undefined && isEnough(now, least));
    });
  });
}

function isEnough({ role }: ApiToken, least: Access): boolean {
  return least === 'open' || mayDo(role, least);
}

/**
 * Finds the token that was sent. It compares all of them in constant time: digests have one length, so neither a
 * token's length nor its first characters leak.
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
