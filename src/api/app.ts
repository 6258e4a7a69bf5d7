import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import { methodNotAllowed as onOtherMethods } from 'hono/method-not-allowed';
import { requestId } from 'hono/request-id';
import { z } from 'zod';
import type { Embedder } from '../contract/embedder.ts';
import { LIMITS } from '../contract/limits.ts';
import type { ModelPrices } from '../contract/model-prices.ts';
import type { ModelConfig } from '../contract/models.ts';
import { queuesOf } from '../jobs/inspect.ts';
import type { Registry } from '../jobs/types.ts';
import { createMetrics, type Metrics } from '../metrics/metrics.ts';
import { createStateMetrics, observedQueues } from '../metrics/state.ts';
import type { Db } from '../store/database.ts';
import { SourceDatabases } from '../store/sources/databases.ts';
import { API_ACCESS } from './access.ts';
import { createAliasRouter } from './aliases.ts';
import { createCodecRouter } from './codec.ts';
import { type ApiEnv, createRouter } from './create-router.ts';
import { createDashboard, missingPage } from './dashboard.ts';
import { createDeleteIndexRouter } from './delete-index.ts';
import { createDoctorRouter } from './doctor.ts';
import { openApiDocument } from './document.ts';
import { createEmbedRouter } from './embed.ts';
import { createExportRouter } from './export.ts';
import { createHealthChecks, createHealthRouter, type HealthChecks } from './health.ts';
import { createIndexRouter } from './indexes.ts';
import { createJobRouter } from './jobs.ts';
import { createMeRouter } from './me.ts';
import { countRequests } from './metrics.ts';
import { accessLog } from './middleware/access-log.ts';
import { type AuthOptions, auth } from './middleware/auth.ts';
import { limitBody } from './middleware/body-limit.ts';
import { allowOrigins } from './middleware/cors.ts';
import { safeHeaders } from './middleware/headers.ts';
import { requireHost } from './middleware/hosts.ts';
import { limitRequests, type RequestLimits } from './middleware/limits.ts';
import { sameOrigin } from './middleware/same-origin.ts';
import { traceRequests } from './middleware/trace.ts';
import { beginInTurns } from './middleware/turns.ts';
import { createObjectHistoryRouter } from './object-history.ts';
import { createObjectRouter } from './objects.ts';
import { createPatchIndexRouter } from './patch-index.ts';
import { type ApiLog, methodNotAllowed, notFound, onError } from './problems.ts';
import { createQuerySetRouter } from './query-sets.ts';
import { SideReads } from './reads/side-reads.ts';
import { type Document, referencePage } from './reference.ts';
import { createSampledSetRouter, createSamplingRouter } from './sampling/routers.ts';
import { SearchSampler } from './sampling/sampler.ts';
import { createScheduleRouter } from './schedules.ts';
import { createSearchRouter } from './search.ts';
import { createSearchBatchRouter } from './search-batch.ts';
import { createSearchManyRouter } from './search-many.ts';
import { createServerHealthRouter } from './server-health.ts';
import { createSourceFollowing, createSourceFollowingRouter, type SourceFollowing } from './source-following.ts';
import { createSourceRouter } from './sources.ts';
import { createStatsRouter } from './stats.ts';
import { acceptDeleteIndex, acceptVectorIndex, createTaskRouters, type PlanOptions } from './tasks/index.ts';
import { createWaitRouter } from './wait.ts';

export interface ApiDependencies {
  db: Db;
  client: Client;
  models: { embedder(config: ModelConfig): Embedder };
  taskQueue: string;
  /** Known jobs, so that calls are checked before anything starts; without it workers check them. */
  registry?: Registry | undefined;
  /** Codec of the codec endpoint; without it payloads are returned unchanged. */
  codec?: PayloadCodec | undefined;
  /** What the plan of a reindex uses. */
  plan?: PlanOptions | undefined;
  log: ApiLog;
  /** Metrics shown at `/metrics`, if the process has more than those of its API. */
  metrics?: Metrics;
  settings?: {
    /** Max bytes of a JSON body; default: `LIMITS.bodyBytes`. */
    bodyBytes?: number;
    /** Prices of models that override the known ones. */
    modelPrices?: ModelPrices;
    /** The folder with the files of tokenizers. */
    tokenizerDir?: string | null;
    /** Parts from which on workers give an index its HNSW index. */
    vectorIndexAfterParts?: number;
    /** Time limit of a search that sets none. */
    searchSeconds?: number;
    /** If set, every call needs one of them as `Authorization: Bearer …`. */
    apiTokens?: AuthOptions['tokens'] | undefined;
    /** Address of Temporal's web UI, for links to it. */
    temporalUi?: string | null;
    /** Folder of the built dashboard; default: where `npm run build` puts it. */
    dashboard?: string;
    /** Sites whose pages may call the API; default: none. */
    corsOrigins?: readonly string[];
    /** Sites whose pages may call the codec endpoint: that of the Temporal UI. */
    codecOrigins?: readonly string[];
    /** Address that the server listens on; also an accepted `Host`. */
    host?: string;
    /** Interval of the heartbeats of event streams; each one also checks the token again. */
    heartbeatMs?: number;
    /** Further accepted `Host` names; default: any if tokens are required. */
    allowedHosts?: readonly string[];
    /** Builds the OpenAPI document at once, which takes some 0.3 s, instead of at its first request. */
    buildsDocument?: boolean;
    /** Limits per token; default: none. */
    limits?: RequestLimits;
  };
  /** Shadow and canary reads of this process; default: new ones, whose last figures are lost when it ends. */
  reads?: SideReads;
  /** Samples searches; default: a new one, whose last searches are lost when it ends. */
  sampler?: SearchSampler;
  /** Databases of sources' tables; default: only `db`. */
  sourceDatabases?: SourceDatabases;
  /** Starts and stops what follows sources; default: by workflows. */
  following?: SourceFollowing;
  /** Checks of `/readyz`; default: the database and Temporal. */
  health?: HealthChecks;
  /** How long a start is repeated while Temporal does not answer, in ms; default: 15,000, and 20,000 for jobs. */
  patienceMs?: number;
  /** Returns true once a stop was requested: `/readyz` then makes load balancers use another process. */
  isStopping?: () => boolean;
}

const HEALTH_PATHS = new Set(['/healthz', '/readyz']);

const metricsRoute = createRoute({
  method: 'get',
  path: '/metrics',
  operationId: 'metrics',
  tags: ['operation'],
  summary: 'Metrics for Prometheus',
  responses: { 200: { description: 'In its text format.', content: { 'text/plain': { schema: z.string() } } } },
});

/** Creates the HTTP API as a Hono app: `serve({ fetch: createApi(…).fetch })`. */
export function createApi(dependencies: ApiDependencies): OpenAPIHono<ApiEnv> {
  const { db, models, log, settings = {}, health = createHealthChecks(dependencies) } = dependencies;
  const { bodyBytes = LIMITS.bodyBytes, apiTokens, temporalUi = null, dashboard } = settings;
  const { corsOrigins = [], codecOrigins = [], allowedHosts = [], host, limits } = settings;
  const { metrics = createMetrics(['api']), taskQueue, client, registry, plan = {} } = dependencies;
  const { reads = new SideReads({ db, models, metrics, log }) } = dependencies;
  const { sampler = new SearchSampler({ db, metrics, log }) } = dependencies;
  const { sourceDatabases = new SourceDatabases({ db, allowed: [], env: {} }) } = dependencies;
  const { following = createSourceFollowing(client, taskQueue) } = dependencies;
  const jobQueues = registry && queuesOf(registry);
  metrics.beforeScrape(createStateMetrics(metrics, { db, client, taskQueue, jobQueues, sourceDatabases, log }));
  const app = createRouter();
  app.onError(onError(log));
  app.notFound(notFound);

  app.use(beginInTurns(HEALTH_PATHS));
  app.use(requestId());
  app.use(traceRequests());
  app.use(accessLog(log));
  app.use(countRequests(metrics));
  app.use(safeHeaders());
  if (!apiTokens || allowedHosts.length > 0) {
    const ownNames = requireHost({ names: host === undefined ? allowedHosts : [...allowedHosts, host] });
    // With tokens, orchestrators may use any address of the process: the answers hold no data.
    app.use((c, next) => (apiTokens && HEALTH_PATHS.has(c.req.path) ? next() : ownNames(c, next)));
  }
  app.use('/v1/*', allowOrigins({ origins: corsOrigins }));
  app.use('/codec/*', allowOrigins({ origins: codecOrigins, credentials: true }));
  app.use(missingPage(dashboard));
  if (apiTokens) app.use(auth({ tokens: apiTokens, access: API_ACCESS }));
  app.use(sameOrigin((c) => (c.req.path.startsWith('/codec/') ? codecOrigins : corsOrigins)));
  if (limits) app.use(limitRequests(limits, (limit) => metrics.httpRateLimited.inc({ limit })));
  app.use(limitBody(bodyBytes));
  app.use(onOtherMethods({ app, onMethodNotAllowed: methodNotAllowed }));

  app.route('/', createDashboard(dashboard));
  app.route('/v1/me', createMeRouter());
  app.route('/v1/indexes', createIndexRouter({ db, models, tokenizerDir: settings.tokenizerDir }));
  app.route('/v1/indexes', createDeleteIndexRouter({ db, start: (body) => acceptDeleteIndex(dependencies, body) }));
  app.route(
    '/v1/indexes',
    createPatchIndexRouter({
      ...{ db, models },
      start: (body) => acceptVectorIndex(dependencies, body),
    }),
  );
  const searching = { db, client, sourceDatabases, reads, sampler, searchSeconds: settings.searchSeconds };
  app.route('/v1/indexes', createSearchRouter(searching));
  app.route('/v1/indexes', createSearchBatchRouter(searching));
  app.route('/v1/search', createSearchManyRouter(searching));
  app.route('/v1/embed', createEmbedRouter({ db, models, searchSeconds: settings.searchSeconds }));
  app.route('/v1/indexes', createWaitRouter({ db, client, sourceDatabases }));
  app.route('/v1/indexes', createObjectRouter({ db, log }));
  app.route('/v1/indexes', createExportRouter({ db, log }));
  app.route('/v1/indexes', createObjectHistoryRouter({ db }));
  app.route('/v1/aliases', createAliasRouter({ db, models }));
  app.route('/v1/aliases', createSamplingRouter({ db }));
  app.route('/v1/query-sets', createQuerySetRouter({ db }));
  app.route('/v1/query-sets', createSampledSetRouter({ db }));
  app.route('/v1/sources', createSourceRouter({ db, sourceDatabases, following }));
  app.route('/v1/sources', createSourceFollowingRouter({ db, sourceDatabases, following }));
  app.route(
    '/v1/tasks',
    createTaskRouters({
      ...dependencies,
      modelPrices: settings.modelPrices,
      tokenizerDir: settings.tokenizerDir,
      corsOrigins,
      heartbeatMs: settings.heartbeatMs,
    }),
  );
  app.route('/v1/jobs', createJobRouter(dependencies));
  app.route('/v1/schedules', createScheduleRouter(dependencies));
  app.route('/v1', createStatsRouter({ client: dependencies.client, temporalUi }));
  app.route(
    '/v1',
    createServerHealthRouter({
      checks: health,
      client: dependencies.client,
      queues: observedQueues({ taskQueue, jobQueues }),
    }),
  );
  app.route(
    '/v1/doctor',
    createDoctorRouter({
      db: plan.background ?? db,
      client,
      sourceDatabases,
      settings: { ...plan.settings, ...settings },
    }),
  );
  app.route('/codec', createCodecRouter(dependencies.codec));
  app.route('/', createHealthRouter(health, { isStopping: dependencies.isStopping }));
  app.openapi(metricsRoute, async (c) =>
    c.text(await metrics.scrape(), 200, { 'content-type': metrics.registry.contentType }),
  );
  addPages(app, settings);
  return app;
}

function addPages(app: OpenAPIHono<ApiEnv>, { buildsDocument }: NonNullable<ApiDependencies['settings']>): void {
  // Cached as text, since writing it takes milliseconds.
  const made = once(() => openApiDocument(app));
  const json = once(() => JSON.stringify(made()));
  const page = once(() => referencePage(made() as unknown as Document).toString());
  app.get('/openapi.json', (c) => c.body(json(), 200, { 'content-type': 'application/json' }));
  app.get('/docs', (c) => c.html(page()));
  if (buildsDocument) json();
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
