import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { countQuery, NDJSON, objectBody, objectPageBody } from '../contract/bodies.ts';
import { LIMITS } from '../contract/limits.ts';
import { objectIdSchema } from '../contract/objects.ts';
import type { Db } from '../store/database.ts';
import { getObject, listObjects, streamObjects } from '../store/objects.ts';
import { fromCursor, toCursor } from './cursor.ts';
import { ndjsonStream, primed } from './ndjson.ts';
import { INDEX_OR_ALIAS, onIndex } from './on-index.ts';
import { type ApiLog, problemResponses } from './problems.ts';
import { createRouter } from './router.ts';
import { cursorQuery } from './tasks/schemas.ts';

const getOne = createRoute({
  method: 'get',
  path: '/{index}/objects/{id}',
  operationId: 'getObject',
  tags: ['objects'],
  summary: 'One object',
  description:
    'The id is URL-encoded, slashes included. The ids `.` and `..` cannot stand in a URL, however they are encoded: list them.',
  request: { params: z.object({ index: INDEX_OR_ALIAS, id: objectIdSchema.describe('Id of the object.') }) },
  responses: {
    200: { description: 'The object.', content: { 'application/json': { schema: objectBody } } },
    ...problemResponses('InvalidInput', 'IndexNotFound', 'ObjectNotFound', 'IndexDeleting', 'DatabaseUnavailable'),
  },
});

const list = createRoute({
  method: 'get',
  path: '/{index}/objects',
  operationId: 'listObjects',
  tags: ['objects'],
  summary: 'All objects in the order of their ids',
  description: `Page by page as JSON: a page ends at its limit or at ${LIMITS.answerBytes / 2 ** 20} MB of payloads and metadata, whichever comes first. With \`Accept: ${NDJSON}\` all that follow the cursor as one stream, an object to a line.`,
  request: {
    params: z.object({ index: INDEX_OR_ALIAS }),
    query: z.strictObject({
      cursor: cursorQuery
        .describe('Of an earlier page of any index: only objects after that page.')
        .meta({ examples: [toCursor('objects', 'a')] }),
      limit: countQuery().describe('Most objects of a page.'),
    }),
  },
  responses: {
    200: {
      description: 'A page of objects, or all of them.',
      content: { 'application/json': { schema: objectPageBody }, [NDJSON]: { schema: objectBody } },
    },
    ...problemResponses('InvalidInput', 'IndexNotFound', 'IndexDeleting', 'DatabaseUnavailable'),
  },
});

export function createObjectRouter({ db, log }: { db: Db; log: ApiLog }) {
  return createRouter()
    .openapi(getOne, async (c) => {
      const { index: name, id } = c.req.valid('param');
      return c.json(await onIndex(db, name, (index) => getObject(db, index, id)), 200);
    })
    .openapi(list, async (c) => {
      const { index: name } = c.req.valid('param');
      const { cursor, limit } = c.req.valid('query');
      const after = fromCursor('objects', cursor);
      const isStream = c.req.header('accept')?.includes(NDJSON);
      if (isStream && c.req.method === 'HEAD') {
        await onIndex(db, name, async () => {});
        return c.body(null, 200, { 'content-type': NDJSON }) as never;
      }
      if (isStream) {
        const objects = await onIndex(db, name, (index) => primed(streamObjects(db, index, { after, pageSize: PAGE })));
        // Typed as what a line holds, which is what the document says; the stream itself has no type there.
        const stream = ndjsonStream(objects, (error) => {
          log.warn({ requestId: c.get('requestId'), index: name, err: error }, 'a stream of objects broke off');
          // At once: the server would still write the error behind the objects, as if it were one, and end the answer.
          c.env?.outgoing?.destroy();
        });
        return c.body(stream, 200, { 'content-type': NDJSON }) as never;
      }
      const { objects, next } = await onIndex(db, name, (index) => listObjects(db, index, { after, limit }));
      return c.json({ objects, cursor: next === null ? null : toCursor('objects', next) }, 200);
    });
}

/** Objects of a stream that are read at once, unless their bytes end a page sooner. */
const PAGE = 100;
