import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { API_ACCESS } from '../../src/api/access.ts';
import { DASHBOARD_PAGES } from '../../src/api/dashboard.ts';
import { openApiDocument } from '../../src/api/document.ts';
import { mayDo, ROLES, type Role } from '../../src/contract/roles.ts';
import { call, silentDatabase, testApi } from './support.ts';

const tokens = ROLES.map((role) => {
  const sha256 = createHash('sha256').update(`rmb_${role}`).digest('hex');
  return { name: `the-${role}`, role, sha256 };
});
const app = testApi(silentDatabase(), {
  settings: { apiTokens: tokens },
});

/** Every route: those in the document, and the router's other ones. */
const documented = Object.entries(openApiDocument(app).paths ?? {}).flatMap(([path, item]) =>
  Object.keys(item as object).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
);
const routed = app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`);
const ROUTES = [...new Set([...documented, ...routed])].sort();

async function statusOf(route: string, token?: string): Promise<number> {
  const [method = '', path = ''] = route.split(' ');
  const response = await app.request(path.replaceAll(/:\w+/g, 'x'), {
    method,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  await response.body?.cancel();
  return response.status;
}

const doorOf = (status: number) => (status === 401 || status === 403 ? status : 'in');
const expected = (role: Role, least: Role) => (mayDo(role, least) ? 'in' : 403);

it('the access table has exactly the existing routes', () => {
  // Each task type has only some of the task routes.
  const others = Object.keys(API_ACCESS).filter((route) => !route.includes(' /v1/tasks/'));
  expect(ROUTES.filter((route) => API_ACCESS[route] === undefined)).toEqual([]);
  expect(others.filter((route) => !ROUTES.includes(route))).toEqual([]);
});

describe('every route accepts exactly the roles in the table', () => {
  it.each(ROUTES)('%s', async (route) => {
    const least = API_ACCESS[route];
    if (least === undefined) throw new Error(`${route} is not in the table`);
    const seen = {
      none: doorOf(await statusOf(route)),
      wrong: doorOf(await statusOf(route, 'rmb_nobody')),
      hash: doorOf(await statusOf(route, tokens[2]?.sha256)),
      view: doorOf(await statusOf(route, 'rmb_view')),
      operate: doorOf(await statusOf(route, 'rmb_operate')),
      admin: doorOf(await statusOf(route, 'rmb_admin')),
    };
    expect(seen).toEqual(
      least === 'open'
        ? { none: 'in', wrong: 'in', hash: 'in', view: 'in', operate: 'in', admin: 'in' }
        : {
            none: 401,
            wrong: 401,
            hash: 401,
            view: expected('view', least),
            operate: expected('operate', least),
            admin: expected('admin', least),
          },
    );
  });
});

it('the role view only reads and sees no objects, and every DELETE needs admin', () => {
  const ofRole = (role: string) => ROUTES.filter((route) => API_ACCESS[route] === role);
  const dashboard = ['GET /assets/*', ...DASHBOARD_PAGES.map((address) => `GET ${address}`)];
  expect(ofRole('open')).toEqual([...dashboard, 'GET /healthz', 'GET /readyz'].sort());
  expect(ofRole('view').filter((route) => !route.startsWith('GET '))).toEqual([]);
  expect(ofRole('view').filter((route) => /objects|search/.test(route))).toEqual([]);
  expect(ROUTES.filter((route) => route.startsWith('DELETE ') && API_ACCESS[route] !== 'admin')).toEqual([]);
});

it('HEAD needs the same role as GET', async () => {
  expect(await statusOf('HEAD /v1/indexes')).toBe(401);
  expect(await statusOf('HEAD /v1/indexes/x/objects', 'rmb_view')).toBe(403);
  expect(doorOf(await statusOf('HEAD /v1/indexes/x/objects', 'rmb_operate'))).toBe('in');
});

it('a refusal names the required role', async () => {
  const headers = { authorization: 'Bearer rmb_view' };
  const { status, body } = await call(app, 'DELETE', '/v1/aliases/live', undefined, headers);
  expect([status, body.type]).toEqual([403, 'urn:reembed:error:Forbidden']);
  expect(body.detail).toBe('this needs the role admin; the token the-view has view');
});

it('a route missing in the table is refused to everyone', async () => {
  const one = testApi(silentDatabase(), { settings: { apiTokens: tokens } });
  one.get('/new', (c) => c.text('secret'));
  const response = await one.request('/new', { headers: { authorization: 'Bearer rmb_admin' } });
  expect(response.status).toBe(403);
});

it('a caller can read its name and role', async () => {
  const me = async (api: typeof app, headers = {}) => (await call(api, 'GET', '/v1/me', undefined, headers)).body;
  expect(await me(app, { authorization: 'Bearer rmb_operate' })).toEqual({ name: 'the-operate', role: 'operate' });
  expect(await me(testApi(silentDatabase()))).toEqual({ name: null, role: 'admin' });
});

it('the document states the role of every route', () => {
  for (const [path, item] of Object.entries(openApiDocument(app).paths ?? {})) {
    for (const [method, operation] of Object.entries(
      item as Record<string, { 'x-role'?: string; description?: string }>,
    )) {
      const least = API_ACCESS[`${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`];
      if (least === 'open') expect([path, operation['x-role']]).toEqual([path, undefined]);
      else {
        expect([path, operation['x-role']]).toEqual([path, least]);
        expect(operation.description).toContain(`Needs the role \`${least}\`.`);
      }
    }
  }
});
