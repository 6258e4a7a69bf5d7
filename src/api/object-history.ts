import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { ReembedError } from '../contract/errors.ts';
import { LIMITS } from '../contract/limits.ts';
import { objectHistorySchema } from '../contract/object-history.ts';
import { objectIdSchema } from '../contract/objects.ts';
import type { Db } from '../store/database.ts';
import { readHistory } from '../store/object-history.ts';
import { createRouter } from './create-router.ts';
import { problemResponses } from './problems.ts';
import { INDEX_OR_ALIAS, onIndex } from './with-index.ts';

const history = createRoute({
  method: 'get',
  path: '/{index}/objects/{id}/history',
  operationId: 'getObjectHistory',
  tags: ['objects'],
  summary: 'What happened to one object',
  description: `Writes, deletions, copies, forwards and failures in this index, newest first, at most ${LIMITS.historyPerObject}. Nothing is added while \`REEMBED_OBJECT_HISTORY\` is false. The history of a deleted object is forgotten with its tombstone.`,
  request: { params: z.object({ index: INDEX_OR_ALIAS, id: objectIdSchema.describe('Id of the object.') }) },
  responses: {
    200: { description: 'The history.', content: { 'application/json': { schema: objectHistorySchema } } },
    ...problemResponses('InvalidInput', 'IndexNotFound', 'ObjectNotFound', 'IndexDeleting', 'DatabaseUnavailable'),
  },
});

export function createObjectHistoryRouter({ db }: { db: Db }) {
  return createRouter().openapi(history, async (c) => {
    const { index: name, id } = c.req.valid('param');
    return onIndex(db, name, async (index) => {
      const events = await readHistory(db, index, id);
      if (!events) throw new ReembedError('ObjectNotFound', `${index.name} has no object ${id}`);
      const { provider, name: model, dimensions } = index.model;
      return c.json({ index: index.name, id, model: { provider, name: model, dimensions }, events }, 200);
    });
  });
}
