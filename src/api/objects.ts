import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { countQuery, NDJSON } from '../contract/http.ts';
import { LIMITS } from '../contract/limits.ts';
import { objectIdSchema, objectPageSchema, objectSchema } from '../contract/objects.ts';
import type { Db } from '../store/database.ts';
import { getObject, listObjects, streamObjects } from '../store/objects.ts';
import { countStreamed, roomForAnswer, sendCounted } from './body/memory.ts';
import { createRouter } from './create-router.ts';
import { fromCursor, toCursor } from './cursor.ts';
import { filterQuery } from './filter-query.ts';
import { ndjsonStream, primed } from './ndjson.ts';
import { type ApiLog, problemResponses } from './problems.ts';
import { cursorQuery } from './tasks/schemas.ts';
import { INDEX_OR_ALIAS, onIndex } from './with-index.ts';

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
    200: { description: 'The object.', content: { 'application/json': { schema: objectSchema } } },
    ...problemResponses('InvalidInput', 'IndexNotFound', 'ObjectNotFound', 'IndexDeleting', 'DatabaseUnavailable'),
  },
});

const list = createRoute({
  method: 'get',
  path: '/{index}/objects',
  operationId: 'listObjects',
  tags: ['objects'],
  summary: 'Objects in the order of their ids',
  description: `Page by page as JSON: a page ends at its limit or at ${LIMITS.answerBytes / 2 ** 20} MB of payloads and metadata, whichever comes first. With \`Accept: ${NDJSON}\` all that follow the cursor as one stream, an object to a line.`,
  request: {
    params: z.object({ index: INDEX_OR_ALIAS }),
    query: z.strictObject({
      cursor: cursorQuery
        .describe('Of an earlier page of any index: only objects after that page.')
        .meta({ examples: [toCursor('objects', 'a')] }),
      limit: countQuery().describe('Most objects of a page.'),
      filter: filterQuery
        .optional()
        .describe(
          'Only objects whose metadata passes this filter, in JSON. A page may have fewer objects than `limit`, or none, and still a cursor: then many objects were looked at.',
        ),
    }),
  },
  responses: {
    200: {
      description: 'A page of objects, or all of them.',
      content: { 'application/json': { schema: objectPageSchema }, [NDJSON]: { schema: objectSchema } },
    },
    ...problemResponses('InvalidInput', 'IndexNotFound', 'IndexDeleting', 'DatabaseUnavailable'),
  },
});

export function createObjectRouter({ db, log }: { db: Db; log: ApiLog }) {
  return createRouter()
    .openapi(getOne, async (c) => {
      const { index: name, id } = c.req.valid('param');
      await roomForAnswer(c.req.raw.signal);
      return (await sendCounted(c, await onIndex(db, name, (index) => getObject(db, index, id)))) as never;
    })
    .openapi(list, async (c) => {
      const { index: name } = c.req.valid('param');
      const { cursor, limit, filter } = c.req.valid('query');
      const after = fromCursor('objects', cursor);
      const isStream = c.req.header('accept')?.includes(NDJSON);
      if (isStream && c.req.method === 'HEAD') {
        await onIndex(db, name, async () => {});
        return c.body(null, 200, { 'content-type': NDJSON }) as never;
      }
      if (isStream) {
        await roomForAnswer(c.req.raw.signal);
        const objects = await onIndex(db, name, (index) =>
          primed(streamObjects(db, index, { after, filter, ...PAGE, onPage: (bytes) => countStreamed(bytes) })),
        );
        // Typed as one line, as the document describes it; the stream itself has no type there.
        const stream = ndjsonStream(objects, (error) => {
          log.warn({ requestId: c.get('requestId'), index: name, err: error }, 'a stream of objects broke off');
          // Cut off now: otherwise the server would write the error after the objects as if it were one of them.
          c.env?.outgoing?.destroy();
        });
        return c.body(stream, 200, { 'content-type': NDJSON }) as never;
      }
      await roomForAnswer(c.req.raw.signal);
      const { objects, next } = await onIndex(db, name, (index) => listObjects(db, index, { after, limit, filter }));
      return (await sendCounted(c, { objects, cursor: next === null ? null : toCursor('objects', next) })) as never;
    });
}

/** Max objects and bytes per read of a stream: many streams with slow readers may be open. */
const PAGE = { pageSize: 100, pageBytes: 1024 * 1024 };
