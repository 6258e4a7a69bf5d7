import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import type { ApiToken } from '../../contract/api-tokens.ts';
import { ReembedError } from '../../contract/errors.ts';
import type { ApiEnv } from '../router.ts';

/** Asked by orchestrators, which have no token; they tell nothing about the data. */
const OPEN_PATHS = new Set(['/healthz', '/readyz']);

/**
 * Lets requests through that carry one of the tokens (`Authorization: Bearer …`). Every token is compared, and in
 * constant time: digests have one length, so neither a token's length nor its first letters can be found out.
 */
export function bearerAuth(tokens: readonly ApiToken[]): MiddlewareHandler<ApiEnv> {
  const known = tokens.map(({ name, token }) => ({ name, hash: digest(token) }));
  return async (c, next) => {
    if (OPEN_PATHS.has(c.req.path)) return next();
    const [, given] = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '') ?? [];
    if (given === undefined) throw new ReembedError('Unauthorized', 'send a token: Authorization: Bearer …');
    const hash = digest(given);
    const matching = known.filter((token) => timingSafeEqual(token.hash, hash));
    if (!matching[0]) throw new ReembedError('Unauthorized', 'the token is not known');
    c.set('caller', matching[0].name);
    return next();
  };
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
