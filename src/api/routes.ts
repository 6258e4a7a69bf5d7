import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Names } from '../store/placement/directory.ts';
import { createAliasRouter } from './aliases.ts';
import type { ApiEnv } from './create-router.ts';
import { createDeleteIndexRouter } from './delete-index.ts';
import type { ApiDependencies } from './dependencies.ts';
import { createEmbedRouter } from './embed.ts';
import { createExportRouter } from './export.ts';
import { createIndexRouter } from './indexes.ts';
import { createObjectHistoryRouter } from './object-history.ts';
import { createObjectRouter } from './objects.ts';
import { createPatchIndexRouter } from './patch-index.ts';
import type { Places } from './places/places.ts';
import { createQuerySetRouter } from './query-sets.ts';
import { createSampledSetRouter, createSamplingRouter } from './sampling/routers.ts';
import { createSearchRouter } from './search.ts';
import { createSearchBatchRouter } from './search-batch.ts';
import { createSearchManyRouter } from './search-many.ts';
import type { SearchTogether } from './search-together.ts';
import { createSourceFollowingRouter, type SourceFollowing } from './source-following.ts';
import { createSourceRouter } from './sources.ts';
import { acceptDeleteIndex, acceptVectorIndex, createTaskRouters } from './tasks/index.ts';
import { createWaitRouter } from './wait.ts';

/** What the routes of one database use. */
export interface RouteDependencies extends ApiDependencies {
  names: Names;
  places: Places;
  searching: SearchTogether;
  following: SourceFollowing;
}

/** Adds the routes that read or write what a database holds. */
export function addRoutes(app: OpenAPIHono<ApiEnv>, dependencies: RouteDependencies): void {
  const { db, models, log, settings = {}, names, places, searching, following } = dependencies;
  const { client, sourceDatabases } = searching;
  const { tokenizerDir, searchSeconds, corsOrigins = [] } = settings;
  app.route('/v1/indexes', createIndexRouter({ db, models, tokenizerDir, names, places }));
  app.route('/v1/indexes', createDeleteIndexRouter({ db, start: (body) => acceptDeleteIndex(dependencies, body) }));
  app.route(
    '/v1/indexes',
    createPatchIndexRouter({ db, models, start: (body) => acceptVectorIndex(dependencies, body) }),
  );
  app.route('/v1/indexes', createSearchRouter(searching));
  app.route('/v1/indexes', createSearchBatchRouter(searching));
  app.route('/v1/search', createSearchManyRouter(searching, places));
  app.route('/v1/embed', createEmbedRouter({ db, models, searchSeconds }));
  app.route('/v1/indexes', createWaitRouter({ db, client, sourceDatabases }));
  app.route('/v1/indexes', createObjectRouter({ db, log }));
  app.route('/v1/indexes', createExportRouter({ db, log }));
  app.route('/v1/indexes', createObjectHistoryRouter({ db }));
  app.route('/v1/aliases', createAliasRouter({ db, models, names, places }));
  app.route('/v1/aliases', createSamplingRouter({ db }));
  app.route('/v1/query-sets', createQuerySetRouter({ db, names, places }));
  app.route('/v1/query-sets', createSampledSetRouter({ db, names }));
  app.route('/v1/sources', createSourceRouter({ db, sourceDatabases, following, names, places }));
  app.route('/v1/sources', createSourceFollowingRouter({ db, sourceDatabases, following }));
  app.route(
    '/v1/tasks',
    createTaskRouters({
      ...dependencies,
      modelPrices: settings.modelPrices,
      tokenizerDir,
      corsOrigins,
      heartbeatMs: settings.heartbeatMs,
    }),
  );
}
