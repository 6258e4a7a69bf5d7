import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { flagQuery } from '../contract/http.ts';
import {
  sourceDefinitionSchema,
  sourceInfoSchema,
  sourceListSchema,
  sourceNameSchema,
  sourcePlanSchema,
  sourceRemovedSchema,
  sourceSavedSchema,
} from '../contract/sources.ts';
import type { Db } from '../store/database.ts';
import type { Names } from '../store/placement/directory.ts';
import { checkSource } from '../store/sources/check.ts';
import type { SourceDatabases } from '../store/sources/databases.ts';
import { readSourceInfo } from '../store/sources/info.ts';
import { installSource, planSource } from '../store/sources/install.ts';
import { removeSource } from '../store/sources/remove.ts';
import { findSource, getSource, listSources, setSourceState } from '../store/sources/rows.ts';
import { jsonBody } from './body/json.ts';
import { createRouter } from './create-router.ts';
import { namedBy } from './places/pass-on.ts';
import type { Places } from './places/places.ts';
import { problemResponses } from './problems.ts';
import type { SourceFollowing } from './source-following.ts';

const params = z.object({ source: sourceNameSchema });
const described = { 'application/json': { schema: sourceInfoSchema } };
const saved = { 'application/json': { schema: sourceSavedSchema } };

const putSource = createRoute({
  method: 'put',
  path: '/{source}',
  middleware: jsonBody({
    placedBy: ({ index }, c) => ({
      named: [...namedBy('source', { source: c.req.param('source') }), ...namedBy('index', { index })],
    }),
  }),
  operationId: 'saveSource',
  tags: ['sources'],
  summary: 'Let an index follow a table, or change what of the table it takes',
  description:
    'Checks index, table, key, columns and rights at once, and names each problem by its field; nothing is changed ' +
    'unless all is right. Then triggers on the table record the keys of changed rows. They lock the table for a moment, ' +
    'and never wait long for it. Then the task `sync` syncs all rows, and later changes follow by themselves; the call can be ' +
    'repeated if that could not be started. The index belongs to its source: objects that have no row are deleted. A source keeps its index, table, key and database.',
  request: {
    params,
    query: z.strictObject({
      plan: flagQuery
        .optional()
        .describe('Check only, and return the statements that would run.')
        .meta({ examples: [true] }),
    }),
    body: { required: true, content: { 'application/json': { schema: sourceDefinitionSchema } } },
  },
  responses: {
    200: {
      description: 'The definition is replaced; with `plan`, the statements.',
      content: { 'application/json': { schema: z.union([sourceSavedSchema, sourcePlanSchema]) } },
    },
    201: { description: 'Created.', content: saved },
    ...problemResponses('InvalidInput', 'NameTaken', 'DatabaseUnavailable', 'TemporalUnavailable'),
  },
});

const getSources = createRoute({
  method: 'get',
  path: '/',
  operationId: 'listSources',
  tags: ['sources'],
  summary: 'List all sources',
  responses: {
    200: { description: 'All sources, by name.', content: { 'application/json': { schema: sourceListSchema } } },
    ...problemResponses('DatabaseUnavailable'),
  },
});

const getOne = createRoute({
  method: 'get',
  path: '/{source}',
  operationId: 'getSource',
  tags: ['sources'],
  summary: 'One source: its definition, its state and its backlog',
  request: { params },
  responses: {
    200: { description: 'The source.', content: described },
    ...problemResponses('InvalidInput', 'SourceNotFound', 'DatabaseUnavailable'),
  },
});

const deleteSource = createRoute({
  method: 'delete',
  path: '/{source}',
  operationId: 'deleteSource',
  tags: ['sources'],
  summary: 'Remove a source with its triggers; the objects stay in the index',
  request: {
    params,
    query: z.strictObject({
      force: flagQuery
        .optional()
        .describe("Forget the source even if the table's database does not answer, and return what remains to be run.")
        .meta({ examples: [false] }),
    }),
  },
  responses: {
    200: { description: 'The source is gone.', content: { 'application/json': { schema: sourceRemovedSchema } } },
    ...problemResponses('InvalidInput', 'SourceNotFound', 'DatabaseUnavailable', 'TemporalUnavailable'),
  },
});

export interface SourceDependencies {
  db: Db;
  sourceDatabases: SourceDatabases;
  following: SourceFollowing;
  names: Names;
  places: Places;
}

export function createSourceRouter({ db, sourceDatabases, following, names, places }: SourceDependencies) {
  return createRouter()
    .openapi(putSource, async (c) => {
      const { source: name } = c.req.valid('param');
      const definition = c.req.valid('json');
      const open = () => sourceDatabases.of(definition.connectionEnv);
      const checked = await checkSource(db, name, definition, open);
      if (c.req.valid('query').plan) {
        const key = checked.resolved.key.map((column) => column.name);
        return c.json({ sql: await planSource(db, checked), key }, 200);
      }
      const installed = await names.under('source', name, (claim) => installSource(db, open(), name, checked, claim));
      // If this fails, the same request starts it: triggers record changes meanwhile.
      const { syncTaskId } = await following.start(installed);
      // What follows the table may have changed its state by now.
      const info = await readSourceInfo((await findSource(db, name)) ?? installed, sourceDatabases);
      return c.json({ ...info, syncTaskId }, checked.existing ? 200 : 201);
    })
    .openapi(getSources, async (c) => {
      const { items, ...rest } = await places.collect(
        async ({ db, searching: { sourceDatabases } }) =>
          Promise.all((await listSources(db)).map((one) => readSourceInfo(one, sourceDatabases))),
        ({ name }) => name,
      );
      return c.json({ sources: items, ...rest }, 200);
    })
    .openapi(getOne, async (c) => {
      const source = await getSource(db, c.req.valid('param').source);
      return c.json(await readSourceInfo(source, sourceDatabases), 200);
    })
    .openapi(deleteSource, async (c) => {
      const source = await getSource(db, c.req.valid('param').source);
      const { force = false } = c.req.valid('query');
      // A follower that does not hear of it ends by this.
      await setSourceState(db, source.no, 'stopped', 'it is being removed');
      await following.stop(source);
      return c.json({ sql: await removeSource(db, source, { sourceDatabases, force }) }, 200);
    });
}
