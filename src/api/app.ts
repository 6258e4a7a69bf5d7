import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { methodNotAllowed as onOtherMethods } from 'hono/method-not-allowed';
import { requestId } from 'hono/request-id';
import { z } from 'zod';
import { LIMITS } from '../contract/limits.ts';
import { queuesOf } from '../jobs/inspect.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { createStateMetrics, observedQueues } from '../metrics/state.ts';
import { ONLY_NAMES } from '../store/placement/directory.ts';
import { SourceDatabases } from '../store/sources/databases.ts';
import { API_ACCESS } from './access.ts';
import { createCodecRouter } from './codec.ts';
import { type ApiEnv, createRouter } from './create-router.ts';
import { createDashboard, missingPage } from './dashboard.ts';
import type { ApiDependencies } from './dependencies.ts';
import { createDoctorRouter } from './doctor.ts';
import { openApiDocument } from './document.ts';
import { createHealthChecks, createHealthRouter } from './health.ts';
import { createJobRouter } from './jobs.ts';
import { createMeRouter } from './me.ts';
import { countRequests } from './metrics.ts';
import { accessLog } from './middleware/access-log.ts';
import { auth } from './middleware/auth.ts';
import { limitBody } from './middleware/body-limit.ts';
import { allowOrigins } from './middleware/cors.ts';
import { safeHeaders } from './middleware/headers.ts';
import { requireHost } from './middleware/hosts.ts';
import { limitRequests } from './middleware/limits.ts';
import { sameOrigin } from './middleware/same-origin.ts';
import { traceRequests } from './middleware/trace.ts';
import { beginInTurns } from './middleware/turns.ts';
import { passByPath } from './places/pass-on.ts';
import { onlyPlace, Places } from './places/places.ts';
import { createPlaceApps } from './places/wiring.ts';
import { methodNotAllowed, notFound, onError } from './problems.ts';
import { SideReads } from './reads/side-reads.ts';
import { type Document, referencePage } from './reference.ts';
import { addRoutes } from './routes.ts';
import { SearchSampler } from './sampling/sampler.ts';
import { createScheduleRouter } from './schedules.ts';
import { createServerHealthRouter } from './server-health.ts';
import { createSourceFollowing } from './source-following.ts';
import { createStatsRouter } from './stats.ts';

export type { ApiDependencies };

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
  const searching = { db, client, sourceDatabases, reads, sampler, searchSeconds: settings.searchSeconds };
  const { names = ONLY_NAMES, further = [], directory } = dependencies;
  const main = onlyPlace({ db, background: plan.background ?? db, taskQueue, searching }, names);
  const places = new Places(main, further, directory);
  const others = further.map(({ searching: { sourceDatabases }, ...place }) => ({ ...place, sourceDatabases }));
  const jobQueues = registry && queuesOf(registry);
  metrics.beforeScrape(createStateMetrics(metrics, { db, client, taskQueue, jobQueues, sourceDatabases, others, log }));
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

  const passing = { places, appOf: createPlaceApps(dependencies, places) };
  app.use(async (c, next) => {
    c.set('passing', passing);
    await next();
  });
  if (places.isSeveral) app.use('/v1/*', passByPath(passing, client));

  app.route('/', createDashboard(dashboard));
  app.route('/v1/me', createMeRouter());
  addRoutes(app, { ...dependencies, names: main.names, places, searching: main.searching, following });
  app.route('/v1/jobs', createJobRouter(dependencies));
  app.route('/v1/schedules', createScheduleRouter(dependencies));
  app.route('/v1', createStatsRouter({ client: dependencies.client, temporalUi }));
  app.route(
    '/v1',
    createServerHealthRouter({
      checks: health,
      client: dependencies.client,
      queues: observedQueues({ taskQueue, jobQueues, others }),
      places,
    }),
  );
  app.route(
    '/v1/doctor',
    createDoctorRouter({
      client,
      places,
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
