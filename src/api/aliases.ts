import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { aliasBody, aliasListBody, aliasTargetBody } from '../contract/bodies.ts';
import { nameSchema } from '../contract/indexes.ts';
import { deleteAlias, listAliases, setAlias } from '../store/aliases.ts';
import type { Db } from '../store/database.ts';
import { jsonBody } from './body/json.ts';
import { problemResponses } from './problems.ts';
import { createRouter } from './router.ts';

const params = z.object({ alias: nameSchema.meta({ description: 'Name of the alias.', examples: ['docs'] }) });

const putAlias = createRoute({
  method: 'put',
  path: '/{alias}',
  middleware: jsonBody(),
  operationId: 'setAlias',
  tags: ['aliases'],
  summary: 'Point an alias to an index, at once for all searches and writes',
  description: 'Goes back to a retired index only once that has all that was written since: `NotCurrent` until then.',
  request: { params, body: { required: true, content: { 'application/json': { schema: aliasTargetBody } } } },
  responses: {
    200: { description: 'The alias points to the index.', content: { 'application/json': { schema: aliasBody } } },
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
    200: { description: 'All aliases, by name.', content: { 'application/json': { schema: aliasListBody } } },
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
      return c.json(await setAlias(db, alias, c.req.valid('json').index), 200);
    })
    .openapi(getAliases, async (c) => c.json({ aliases: await listAliases(db) }, 200))
    .openapi(removeAlias, async (c) => {
      await deleteAlias(db, c.req.valid('param').alias);
      return c.body(null, 204);
    });
}
