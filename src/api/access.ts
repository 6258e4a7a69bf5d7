import type { Role } from '../contract/roles.ts';
import { TASK_TYPES, type TaskType } from '../contract/tasks.ts';
import { DASHBOARD_PAGES } from './dashboard.ts';

/** Who may call a route: everyone, also without a token, or tokens of at least a role. */
export type Access = 'open' | Role;

/** The access of each route, by its method and its path as the router has it: `GET /v1/indexes/:index`. */
export type AccessTable = Readonly<Record<string, Access>>;

/** The routes of a task router below the path where it is mounted, with or without a type. */
const TASK_ACCESS: Readonly<Record<string, Role>> = {
  'GET /info': 'view',
  'GET /list': 'view',
  'GET /counts': 'view',
  'GET /failed-items': 'view',
  'GET /events': 'view',
  'GET /results': 'view',
  'PUT /restart': 'operate',
  'PUT /cancel': 'operate',
  'PUT /pause': 'operate',
  'PUT /resume': 'operate',
  'PUT /ignore': 'operate',
  'PUT /throttle': 'operate',
  'POST /run': 'operate',
};

/** The least role of a route of a task router, as `POST /run`; undefined for what is none. */
export function taskRouteAccess(route: string, type: TaskType | undefined): Role | undefined {
  if (type === 'delete-index' && route === 'POST /run') return 'admin';
  return TASK_ACCESS[route];
}

/** The access of the routes of a task router that is mounted at `path`, for a table of one's own. */
export function taskAccess(path: string): AccessTable {
  return Object.fromEntries(
    Object.entries(TASK_ACCESS).map(([route, access]) => [route.replace(' /', ` ${path}/`), access]),
  );
}

/**
 * Which role every route of the API needs at least. The middleware, the OpenAPI document and docs/security.md are made
 * from it. A route that is not in it is refused to everyone as soon as tokens are needed.
 */
export const API_ACCESS: AccessTable = {
  // Asked by orchestrators, which have no token; they tell nothing about the data.
  'GET /healthz': 'open',
  'GET /readyz': 'open',
  // The dashboard's files hold no data: the page asks for a token, and sends it along with every call.
  ...Object.fromEntries(DASHBOARD_PAGES.map((address) => [`GET ${address}`, 'open'])),
  'GET /assets/*': 'open',
  'GET /docs': 'view',
  'GET /openapi.json': 'view',
  'GET /metrics': 'view',
  // Opens whatever Temporal's history holds.
  'POST /codec/decode': 'admin',
  'POST /codec/encode': 'admin',
  'GET /v1/me': 'view',
  'GET /v1/server': 'view',
  'GET /v1/stats': 'view',
  'GET /v1/indexes': 'view',
  'GET /v1/indexes/:index': 'view',
  'PUT /v1/indexes/:index': 'admin',
  'DELETE /v1/indexes/:index': 'admin',
  'POST /v1/indexes/:index/search': 'operate',
  'GET /v1/indexes/:index/objects': 'operate',
  'GET /v1/indexes/:index/objects/:id': 'operate',
  'GET /v1/aliases': 'view',
  'PUT /v1/aliases/:alias': 'admin',
  'DELETE /v1/aliases/:alias': 'admin',
  ...taskAccess('/v1/tasks'),
  ...Object.assign({}, ...TASK_TYPES.map((type) => taskAccess(`/v1/tasks/${type}`))),
  'POST /v1/tasks/delete-index/run': 'admin',
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
