import { createRoute } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { z } from 'zod';
import { countQuery } from '../contract/http.ts';
import { nameSchema } from '../contract/indexes.ts';
import type { Json } from '../contract/json.ts';
import { TEXT_LIMITS } from '../contract/json-text/parse.ts';
import { LIMITS } from '../contract/limits.ts';
import { isJsonObject } from '../contract/objects.ts';
import {
  type QuerySetInput,
  queryPageSchema,
  querySetInfoSchema,
  querySetInputSchema,
  querySetListSchema,
  querySetSavedSchema,
} from '../contract/query-sets.ts';
import type { Db } from '../store/database.ts';
import type { Names } from '../store/placement/directory.ts';
import {
  deleteQuerySet,
  getQuerySet,
  listQueries,
  listQuerySets,
  missingOf,
  requireFewMissing,
  saveQuerySet,
} from '../store/query-sets.ts';
import { jsonBody } from './body/json.ts';
import { roomForAnswer, sendCounted } from './body/memory.ts';
import { createRouter } from './create-router.ts';
import { fromCursor, toCursor } from './cursor.ts';
import { makeKnownItems } from './known-items.ts';
import { namedBy, type Placed } from './places/pass-on.ts';
import type { Places } from './places/places.ts';
import { problemResponses } from './problems.ts';
import { cursorQuery } from './tasks/schemas.ts';
import { onIndex } from './with-index.ts';

const params = z.object({
  querySet: nameSchema.meta({ description: 'Name of the query set.', examples: ['support-questions'] }),
});
const described = { 'application/json': { schema: querySetSavedSchema } };

/** A set is in the database of the index that it is for. */
function placeOfSet({ database, checkIndex, knownItem }: Readonly<Record<string, Json>>, c: Context): Placed {
  const index = isJsonObject(knownItem) ? knownItem.index : undefined;
  return {
    named: [
      ...namedBy('query-set', { querySet: c.req.param('querySet') }),
      ...namedBy('index', { checkIndex, 'knownItem.index': index }),
    ],
    ...(typeof database === 'string' && { database }),
  };
}

const putQuerySet = createRoute({
  method: 'put',
  path: '/{querySet}',
  middleware: jsonBody({
    placedBy: placeOfSet,
    maxBytes: LIMITS.querySetBytes,
    limits: { ...TEXT_LIMITS, values: LIMITS.bodyValues },
  }),
  operationId: 'saveQuerySet',
  tags: ['query sets'],
  summary: 'Create a query set, or replace its queries',
  description:
    'Either `queries`, with or without judgments, or `knownItem`: one sentence of an object is the query, and the ' +
    'object its only answer. With `checkIndex`, judgments for objects that the index does not have are counted, and ' +
    'refused above the share `maxMissing`. Evaluations that have begun keep the queries that they began with.',
  request: { params, body: { required: true, content: { 'application/json': { schema: querySetInputSchema } } } },
  responses: {
    200: { description: 'The queries of the set are replaced.', content: described },
    201: { description: 'Created.', content: described },
    ...problemResponses(
      'InvalidInput',
      'IndexNotFound',
      'NameTaken',
      'IndexDeleting',
      'TooLarge',
      'DatabaseUnavailable',
    ),
  },
});

const getQuerySets = createRoute({
  method: 'get',
  path: '/',
  operationId: 'listQuerySets',
  tags: ['query sets'],
  summary: 'List all query sets',
  responses: {
    200: { description: 'All query sets, by name.', content: { 'application/json': { schema: querySetListSchema } } },
    ...problemResponses('DatabaseUnavailable'),
  },
});

const getOne = createRoute({
  method: 'get',
  path: '/{querySet}',
  operationId: 'getQuerySet',
  tags: ['query sets'],
  summary: 'One query set, without its queries',
  request: { params },
  responses: {
    200: { description: 'The query set.', content: { 'application/json': { schema: querySetInfoSchema } } },
    ...problemResponses('InvalidInput', 'QuerySetNotFound', 'DatabaseUnavailable'),
  },
});

const getQueries = createRoute({
  method: 'get',
  path: '/{querySet}/queries',
  operationId: 'listQueries',
  tags: ['query sets'],
  summary: 'The queries of a set, in the order of their ids',
  request: {
    params,
    query: z.strictObject({ cursor: cursorQuery, limit: countQuery().describe('Maximum queries of a page.') }),
  },
  responses: {
    200: { description: 'One page.', content: { 'application/json': { schema: queryPageSchema } } },
    ...problemResponses('InvalidInput', 'QuerySetNotFound', 'DatabaseUnavailable'),
  },
});

const removeQuerySet = createRoute({
  method: 'delete',
  path: '/{querySet}',
  operationId: 'deleteQuerySet',
  tags: ['query sets'],
  summary: 'Delete a query set; reports of evaluations stay',
  request: { params },
  responses: {
    204: { description: 'The query set is gone.' },
    ...problemResponses('InvalidInput', 'QuerySetNotFound', 'DatabaseUnavailable'),
  },
});

export function createQuerySetRouter({ db, names, places }: { db: Db; names: Names; places: Places }) {
  return createRouter()
    .openapi(putQuerySet, async (c) => {
      const { querySet } = c.req.valid('param');
      const { queries, knownItem, missing } = await prepare(db, c.req.valid('json'));
      const { info, created } = await names.under('query-set', querySet, (claim) =>
        saveQuerySet(db, querySet, queries, { knownItem, claim }),
      );
      return c.json({ ...info, missing }, created ? 201 : 200);
    })
    .openapi(getQuerySets, async (c) => {
      const { items, ...rest } = await places.collect(
        (place) => listQuerySets(place.db),
        ({ name }) => name,
      );
      return c.json({ querySets: items, ...rest }, 200);
    })
    .openapi(getOne, async (c) => c.json(await getQuerySet(db, c.req.valid('param').querySet), 200))
    .openapi(getQueries, async (c) => {
      const { querySet } = c.req.valid('param');
      const { cursor, limit } = c.req.valid('query');
      const after = fromCursor('queries', cursor);
      await getQuerySet(db, querySet);
      await roomForAnswer(c.req.raw.signal);
      const { queries, next } = await listQueries(db, querySet, { after, limit });
      return sendCounted(c, { queries, cursor: next === null ? null : toCursor('queries', next) }) as never;
    })
    .openapi(removeQuerySet, async (c) => {
      await deleteQuerySet(db, c.req.valid('param').querySet);
      return c.body(null, 204);
    });
}

async function prepare(db: Db, { queries = [], knownItem, checkIndex, maxMissing }: QuerySetInput) {
  if (knownItem) {
    const made = await onIndex(db, knownItem.index, (index) => makeKnownItems(db, index, knownItem));
    return { ...made, missing: null };
  }
  if (checkIndex === undefined) return { queries, knownItem: null, missing: null };
  const missing = await onIndex(db, checkIndex, (index) => missingOf(db, index, queries));
  requireFewMissing('checkIndex', checkIndex, missing, maxMissing);
  return { queries, knownItem: null, missing };
}
