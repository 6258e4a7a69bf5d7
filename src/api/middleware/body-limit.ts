import type { MiddlewareHandler } from 'hono';
import { ReembedError } from '../../contract/errors.ts';
import { NDJSON } from '../../contract/http.ts';
import type { ApiEnv } from '../create-router.ts';

/**
 * Refuses bodies above the limit: by their declared length, if there is one, otherwise while they are read. NDJSON has
 * no limit: it is read line by line and never held as a whole.
 */
export function limitBody(maxBytes: number): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    if (!isLines(c.req.header('content-type'))) {
      if (Number(c.req.header('content-length') ?? 0) > maxBytes) throw bodyTooLarge(maxBytes);
      c.set('bodyBytes', maxBytes);
    }
    await next();
  };
}

export function bodyTooLarge(maxBytes: number): ReembedError {
  return new ReembedError('TooLarge', `a body has at most ${maxBytes} bytes; as ${NDJSON}, upserts have no limit`);
}

/** Whether the content type is one of those of NDJSON. */
function isLines(contentType = ''): boolean {
  return /^application\/(?:x-ndjson|ndjson|jsonl)(?![\w+.-])/i.test(contentType.trim());
}
