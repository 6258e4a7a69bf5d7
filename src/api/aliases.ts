import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { messageOf, ReembedError } from '../contract/errors.ts';
import { aliasListSchema, aliasSchema, aliasTargetSchema, nameSchema } from '../contract/indexes.ts';
import { checkEmbedder } from '../models/check-embedder.ts';
import { deleteAlias, listAliases, setAlias } from '../store/aliases.ts';
import type { Db } from '../store/database.ts';
import type { Names } from '../store/placement/directory.ts';
import { findIndexToServe } from '../store/protocol/move-alias.ts';
import { jsonBody } from './body/json.ts';
import type { ModelMaker } from './check-model.ts';
import { createRouter } from './create-router.ts';
import { namedBy } from './places/pass-on.ts';
import type { Places } from './places/places.ts';
import { problemResponses } from './problems.ts';

const params = z.object({ alias: nameSchema.meta({ description: 'Name of the alias.', examples: ['docs'] }) });

const putAlias = createRoute({
  method: 'put',
  path: '/{alias}',
  // An alias is in the database of its index.
  middleware: jsonBody({
    placedBy: ({ index }, c) => ({ named: namedBy('index', { alias: c.req.param('alias'), index }) }),
  }),
  operationId: 'setAlias',
  tags: ['aliases'],
  summary: 'Point an alias to an index, at once for all searches and writes',
  description:
    'An alias that points elsewhere moves only to an index that has all that it serves now, and any alias only to one ' +
    'that can answer: its model responds, and objects of it have vectors. While that index is kept current, writers ' +
    'are held back for some seconds at most so that the last writes get there. `NotCurrent` says what is missing; ' +
    '`force` moves the alias all the same.',
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

/** Max time in which the model of an index must respond before an alias moves there. */
const MODEL_MS = 10_000;

/** Checks that the model of an index responds before an alias moves there. Error: `NotCurrent`. */
async function requireModel({ db, models }: AliasDependencies, alias: string, indexName: string): Promise<void> {
  const index = await findIndexToServe(db, alias, indexName);
  if (!index) return;
  try {
    await checkEmbedder(models.embedder(index.model), { signal: AbortSignal.timeout(MODEL_MS), maxWaitMs: MODEL_MS });
  } catch (error) {
    // A model that asks to slow down responds.
    if (error instanceof ReembedError && error.type === 'ModelRateLimited') return;
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    const why = isLate ? `no answer within ${MODEL_MS / 1_000} s` : messageOf(error);
    throw new ReembedError(
      'NotCurrent',
      `${alias} is not moved, because the model of ${indexName} does not work (${why}); set force to move it all the same`,
      { reason: 'model' },
    );
  }
}

interface AliasDependencies {
  db: Db;
  models: ModelMaker;
  names: Names;
  places: Places;
}

export function createAliasRouter(dependencies: AliasDependencies) {
  const { db, names, places } = dependencies;
  return createRouter()
    .openapi(putAlias, async (c) => {
      const { alias } = c.req.valid('param');
      const { index, force } = c.req.valid('json');
      if (!force) await requireModel(dependencies, alias, index);
      const moved = await names.under('index', alias, (claim) => setAlias(db, alias, index, { force, claim }));
      return c.json(moved, 200);
    })
    .openapi(getAliases, async (c) => {
      const { items, ...rest } = await places.collect(
        (place) => listAliases(place.db),
        ({ alias }) => alias,
      );
      return c.json({ aliases: items, ...rest }, 200);
    })
    .openapi(removeAlias, async (c) => {
      await deleteAlias(db, c.req.valid('param').alias);
      return c.body(null, 204);
    });
}
