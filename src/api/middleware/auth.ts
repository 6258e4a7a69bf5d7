import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { ReembedError } from '../../contract/errors.ts';

/** Asked by orchestrators, which have no token; they tell nothing about the data. */
const OPEN_PATHS = new Set(['/healthz', '/readyz']);

/**
 * Lets requests through that carry one of the tokens (`Authorization: Bearer …`). Every token is compared, and in
 * constant time: digests have one length, so neither a token's length nor its first letters can be found out.
 */
export function bearerAuth(tokens: readonly string[]): MiddlewareHandler {
  const known = tokens.map(digest);
  return async (c, next) => {
    if (OPEN_PATHS.has(c.req.path)) return next();
    const [, given] = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '') ?? [];
    if (given === undefined) throw new ReembedError('Unauthorized', 'send a token: Authorization: Bearer …');
    const hash = digest(given);
    let matches = 0;
    for (const token of known) matches += Number(timingSafeEqual(token, hash));
    if (matches === 0) throw new ReembedError('Unauthorized', 'the token is not known');
    return next();
  };
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
