import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { aliasListSchema, aliasSchema, aliasTargetSchema, nameSchema } from '../contract/indexes.ts';
import { deleteAlias, listAliases, setAlias } from '../store/aliases.ts';
import type { Db } from '../store/database.ts';
import { jsonBody } from './body/json.ts';
import { createRouter } from './create-router.ts';
import { problemResponses } from './problems.ts';

const params = z.object({ alias: nameSchema.meta({ description: 'Name of the alias.', examples: ['docs'] }) });

const putAlias = createRoute({
  method: 'put',
  path: '/{alias}',
  middleware: jsonBody(),
  operationId: 'setAlias',
  tags: ['aliases'],
  summary: 'Point an alias to an index, at once for all searches and writes',
  description:
    'An alias that points elsewhere moves only to an index that has all that it serves now. While that index is kept ' +
    'current, writers are held back for some seconds at most so that the last writes get there. `NotCurrent` says ' +
    'what is missing; `force` moves the alias all the same.',
  request: { params, body: { required: true, content: { 'application/json': { schema: aliasTargetSchema } } } },
  responses: {
    200: { description: 'The alias points to the index.', content: { 'application/json': { schema: aliasSchema } } },
    ...problemResponses(
      'InvalidInput',
      'IndexNotFound',
      'NameTaken',
      'IndexDeleting',
      'IndexLocked',
      'NotCurrent',
      'DatabaseUnavailable',
    ),
  },
});

const getAliases = createRoute({
  method: 'get',
  path: '/',
  operationId: 'listAliases',
  tags: ['aliases'],
  summary: 'List all aliases',
  responses: {
    200: { description: 'All aliases, by name.', content: { 'application/json': { schema: aliasListSchema } } },
    ...problemResponses('DatabaseUnavailable'),
  },
});

const removeAlias = createRoute({
  method: 'delete',
  path: '/{alias}',
  operationId: 'deleteAlias',
  tags: ['aliases'],
  summary: 'Remove an alias; its index stays',
  request: { params },
  responses: {
    204: { description: 'The alias is gone.' },
    ...problemResponses('InvalidInput', 'AliasNotFound', 'IndexLocked', 'DatabaseUnavailable'),
  },
});

export function createAliasRouter({ db }: { db: Db }) {
  return createRouter()
    .openapi(putAlias, async (c) => {
      const { alias } = c.req.valid('param');
      const { index, force } = c.req.valid('json');
      return c.json(await setAlias(db, alias, index, { force }), 200);
    })
    .openapi(getAliases, async (c) => c.json({ aliases: await listAliases(db) }, 200))
    .openapi(removeAlias, async (c) => {
      await deleteAlias(db, c.req.valid('param').alias);
      return c.body(null, 204);
    });
}
