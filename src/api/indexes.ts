import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import {
  createdIndexSchema,
  indexConfigSchema,
  indexInfoSchema,
  indexListSchema,
  nameSchema,
} from '../contract/indexes.ts';
import type { Json } from '../contract/json.ts';
import { withDefaults } from '../contract/model-input.ts';
import { type Db, transaction } from '../store/database.ts';
import { indexInfo, listIndexInfos } from '../store/index-info.ts';
import { ensureIndex, resolveIndex } from '../store/indexes.ts';
import type { Names } from '../store/placement/directory.ts';
import type { IndexRow } from '../store/schema.ts';
import { jsonBody } from './body/json.ts';
import { checkModel, type ModelMaker } from './check-model.ts';
import { checkSplitter } from './check-splitter.ts';
import { createRouter } from './create-router.ts';
import type { Places } from './places/places.ts';
import { problemResponses } from './problems.ts';
import { INDEX_OR_ALIAS } from './with-index.ts';

const params = z.object({ index: nameSchema.describe('Name of the index.') });
const described = { 'application/json': { schema: indexInfoSchema } };

const created = { 'application/json': { schema: createdIndexSchema } };

const databaseOf = ({ database }: { database?: Json }) => ({
  named: [],
  ...(typeof database === 'string' && { database }),
});

const putIndex = createRoute({
  method: 'put',
  path: '/{index}',
  middleware: jsonBody({ placedBy: databaseOf }),
  operationId: 'createIndex',
  tags: ['indexes'],
  summary: 'Create an index; the same again is fine',
  request: { params, body: { required: true, content: { 'application/json': { schema: indexConfigSchema } } } },
  responses: {
    200: { description: 'It was there already, with the same settings.', content: created },
    201: { description: 'Created.', content: created },
    ...problemResponses('InvalidInput', 'IndexExists', 'NameTaken', 'IndexDeleting', 'DatabaseUnavailable'),
  },
});

const getIndexes = createRoute({
  method: 'get',
  path: '/',
  operationId: 'listIndexes',
  tags: ['indexes'],
  summary: 'List all indexes with counts, state, lock and aliases',
  responses: {
    200: { description: 'All indexes, by name.', content: { 'application/json': { schema: indexListSchema } } },
    ...problemResponses('DatabaseUnavailable'),
  },
});

const getIndex = createRoute({
  method: 'get',
  path: '/{index}',
  operationId: 'getIndex',
  tags: ['indexes'],
  summary: 'One index, by its name or an alias',
  request: { params: z.object({ index: INDEX_OR_ALIAS }) },
  responses: {
    200: { description: 'The index.', content: described },
    ...problemResponses('InvalidInput', 'IndexNotFound', 'DatabaseUnavailable'),
  },
});

export interface IndexDependencies {
  db: Db;
  models: ModelMaker;
  names: Names;
  places: Places;
  /** The folder with the files of tokenizers. */
  tokenizerDir?: string | null | undefined;
}

export function createIndexRouter({ db, models, tokenizerDir, names, places }: IndexDependencies) {
  const ofSeveral = (database: string) => (places.isSeveral ? { database } : {});
  const infoOf = async (index: IndexRow) => ({ ...(await indexInfo(db, index)), ...ofSeveral(names.database) });
  return createRouter()
    .openapi(putIndex, async (c) => {
      const { database: _database, ...config } = c.req.valid('json');
      checkModel(models, config.model, 'model');
      await checkSplitter(config, { tokenizerDir });
      const asked = (await c.req.json()) as { model: unknown };
      const { defaults } = withDefaults(asked.model);
      const { index: name } = c.req.valid('param');
      const { index, created } = await names.under('index', name, (claim) =>
        transaction(db, (trx) => ensureIndex(trx, name, config, { filledIn: defaults?.fields, claim })),
      );
      return c.json({ ...(await infoOf(index)), modelDefaults: defaults }, created ? 201 : 200);
    })
    .openapi(getIndexes, async (c) => {
      const { items, ...rest } = await places.collect(
        async (place) => (await listIndexInfos(place.db)).map((info) => ({ ...info, ...ofSeveral(place.name) })),
        ({ name }) => name,
      );
      return c.json({ indexes: items, ...rest }, 200);
    })
    .openapi(getIndex, async (c) => {
      const index = await resolveIndex(db, c.req.valid('param').index);
      return c.json(await infoOf(index), 200);
    });
}
