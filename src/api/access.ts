import type { Role } from '../contract/roles.ts';
import { factsOf, TASK_TYPES, type TaskType } from '../contract/task-types.ts';
import { DASHBOARD_PAGES } from './dashboard.ts';

/** Who may call a route: everyone, even without a token, or tokens with at least this role. */
export type Access = 'open' | Role;

/** Access by method and router path, such as `GET /v1/indexes/:index`. */
export type AccessTable = Readonly<Record<string, Access>>;

/** Routes of a task router, relative to the path where it is mounted, with or without a type. */
const TASK_ACCESS: Readonly<Record<string, Role>> = {
  'GET /info': 'view',
  'GET /list': 'view',
  'GET /counts': 'view',
  'GET /failed-items': 'view',
  'GET /events': 'view',
  'GET /results': 'view',
  // Has texts of queries and objects.
  'GET /evaluation': 'operate',
  // Has payloads of objects and inputs of jobs.
  'GET /input': 'operate',
  'PUT /restart': 'operate',
  'PUT /cancel': 'operate',
  'PUT /pause': 'operate',
  'PUT /resume': 'operate',
  'PUT /ignore': 'operate',
  'PUT /throttle': 'operate',
  'GET /reads': 'view',
  'GET /live-writes': 'view',
  'PUT /reads': 'operate',
  'PUT /budget': 'operate',
  'PUT /approve': 'approve',
  'PUT /reject': 'approve',
  'GET /roll-back': 'view',
  'PUT /roll-back': 'approve',
  'POST /run': 'operate',
  // Calls the model, which may cost money.
  'POST /plan': 'operate',
};

/** Returns the lowest role that may call a task route, such as `POST /run`; undefined if there is no such route. */
export function taskRouteAccess(route: string, type: TaskType | undefined): Role | undefined {
  if (route === 'POST /run' && type !== undefined) return factsOf(type).role ?? TASK_ACCESS[route];
  return TASK_ACCESS[route];
}

/** Returns the access table of a task router mounted at `path`, to include in your own table. */
export function taskAccess(path: string, type?: TaskType): AccessTable {
  return Object.fromEntries(
    Object.keys(TASK_ACCESS).map((route) => [route.replace(' /', ` ${path}/`), taskRouteAccess(route, type) as Role]),
  );
}

/**
 * Lowest role for each route of the API. The middleware, the OpenAPI document and docs/security.md are generated from
 * it. When tokens are required, a route that is missing here is refused to everyone.
 */
export const API_ACCESS: AccessTable = {
  // Called by orchestrators, which have no token; the answers reveal nothing about the data.
  'GET /healthz': 'open',
  'GET /readyz': 'open',
  // The dashboard's files hold no data: the page asks for a token and sends it with every call.
  ...Object.fromEntries(DASHBOARD_PAGES.map((address) => [`GET ${address}`, 'open'])),
  'GET /assets/*': 'open',
  'GET /docs': 'view',
  'GET /openapi.json': 'view',
  'GET /metrics': 'view',
  // Decrypts everything in Temporal's history.
  'POST /codec/decode': 'admin',
  'POST /codec/encode': 'admin',
  'GET /v1/me': 'view',
  'GET /v1/server': 'view',
  'GET /v1/health': 'view',
  'GET /v1/stats': 'view',
  // Names settings of the servers.
  'GET /v1/doctor': 'operate',
  'GET /v1/indexes': 'view',
  'GET /v1/indexes/:index': 'view',
  'PUT /v1/indexes/:index': 'admin',
  'PATCH /v1/indexes/:index': 'admin',
  'DELETE /v1/indexes/:index': 'admin',
  'POST /v1/indexes/:index/search': 'operate',
  'POST /v1/indexes/:index/search/batch': 'operate',
  'POST /v1/search': 'operate',
  // Calls the model, which may cost money.
  'POST /v1/embed': 'operate',
  'GET /v1/indexes/:index/wait': 'view',
  'GET /v1/indexes/:index/export': 'operate',
  'GET /v1/indexes/:index/objects': 'operate',
  'GET /v1/indexes/:index/objects/:id': 'operate',
  'GET /v1/indexes/:index/objects/:id/history': 'operate',
  'GET /v1/aliases': 'view',
  'PUT /v1/aliases/:alias': 'admin',
  'DELETE /v1/aliases/:alias': 'admin',
  'GET /v1/aliases/:alias/sampling': 'view',
  'PUT /v1/aliases/:alias/sampling': 'admin',
  'DELETE /v1/aliases/:alias/sampling': 'admin',
  // What users searched for.
  'GET /v1/aliases/:alias/sampled-searches': 'queries',
  'GET /v1/sources': 'view',
  'GET /v1/sources/:source': 'view',
  'POST /v1/sources/:source/start': 'operate',
  'POST /v1/sources/:source/stop': 'operate',
  // Runs SQL on tables of the user.
  'PUT /v1/sources/:source': 'admin',
  'DELETE /v1/sources/:source': 'admin',
  'GET /v1/query-sets': 'view',
  'GET /v1/query-sets/:querySet': 'view',
  // Texts that users wrote, or sentences of objects.
  'GET /v1/query-sets/:querySet/queries': 'operate',
  'PUT /v1/query-sets/:querySet': 'operate',
  'PUT /v1/query-sets/:querySet/sampled': 'queries',
  'DELETE /v1/query-sets/:querySet': 'admin',
  ...taskAccess('/v1/tasks'),
  ...Object.assign({}, ...TASK_TYPES.map((type) => taskAccess(`/v1/tasks/${type}`, type))),
  'GET /v1/jobs': 'view',
  'POST /v1/jobs/:name/run': 'operate',
  'GET /v1/schedules': 'view',
  'GET /v1/schedules/:name/:key': 'view',
  'GET /v1/schedules/:name/:key/times': 'view',
  'PUT /v1/schedules/:name/:key': 'admin',
  'DELETE /v1/schedules/:name/:key': 'admin',
  'PUT /v1/schedules/:name/:key/pause': 'operate',
  'PUT /v1/schedules/:name/:key/resume': 'operate',
  'POST /v1/schedules/:name/:key/run': 'operate',
};
