import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { NDJSON } from '../../contract/bodies.ts';
import { ReembedError } from '../../contract/errors.ts';

/** Refuses bodies above the limit. NDJSON has none: it is read line by line and never held as a whole. */
export function limitBody(mostBytes: number): MiddlewareHandler {
  const limited = bodyLimit({
    maxSize: mostBytes,
    onError: () => {
      throw new ReembedError('TooLarge', `a body has at most ${mostBytes} bytes; as ${NDJSON}, upserts have no limit`);
    },
  });
  return (c, next) => (isLines(c.req.header('content-type')) ? next() : limited(c, next));
}

/** Of the names that NDJSON goes by. */
function isLines(contentType = ''): boolean {
  return /^application\/(?:x-ndjson|ndjson|jsonl)(?![\w+.-])/i.test(contentType.trim());
}
