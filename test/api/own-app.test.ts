import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { auth, createTaskRouter, taskAccess } from '../../src/api/index.ts';
import { onError } from '../../src/api/problems.ts';
import { ROLES } from '../../src/contract/roles.ts';
import { silentDatabase, silentTemporal } from './support.ts';

const tokens = ROLES.map((role) => ({ name: `the-${role}`, role, token: `token-of-${role}` }));
const options = { client: silentTemporal(), db: silentDatabase(), taskQueue: 'test' };
const access = { 'GET /': 'open', ...taskAccess('/documents') } as const;

/** A user's app: the router, and what comes before and after it. */
function ownApp(change: Change = {}) {
  const app = new Hono();
  app.onError(onError());
  app.use(auth({ tokens, access: { ...access, ...change.table } }) as never);
  app.get('/', (c) => c.text('my service'));
  change.before?.(app);
  app.route('/documents', createTaskRouter({ ...options, type: 'upsert' }));
  change.behind?.(app);
  return async (method: string, path: string, role?: string) => {
    const sent = new Headers(role === undefined ? {} : { authorization: `Bearer token-of-${role}` });
    return (await app.request(path, { method, headers: sent })).status;
  };
}

/** Statuses of a call that auth accepted: it fails afterwards, since the body of a run is missing. */
const IN = [400, 415, 503];

interface Change {
  table?: object;
  before?: (app: Hono) => void;
  behind?: (app: Hono) => void;
}

const page = (app: Hono) => {
  app.get('*', (c) => c.text('page'));
};
const all = (app: Hono) => {
  app.all('*', (c) => c.text('all'));
};
const passing = (app: Hono) => {
  app.on(['GET', 'PUT', 'POST'], '/documents/*', (_c, next) => next());
};

const secret = (app: Hono) => {
  app.all('/admin', (c) => c.text('secret'));
};

const APPS: [what: string, change: Change][] = [
  ['a page for the rest behind the router', { behind: page }],
  ['an open page for the rest', { behind: page, table: { 'GET /*': 'open' } }],
  ['a route for all methods behind it', { behind: all, table: { 'ALL /*': 'open' } }],
  [
    'an open route before it that passes on',
    {
      before: passing,
      table: { 'GET /documents/*': 'open', 'PUT /documents/*': 'open', 'POST /documents/*': 'open' },
    },
  ],
];

describe("auth in a user's app", () => {
  it.each(APPS)('applies the strictest route, even with %s', async (_what, change) => {
    const status = ownApp(change);
    expect(await status('GET', '/documents/list')).toBe(401);
    expect(await status('PUT', '/documents/cancel?taskId=a')).toBe(401);
    expect(await status('PUT', '/documents/cancel?taskId=a', 'view')).toBe(403);
    expect(await status('POST', '/documents/run', 'view')).toBe(403);
  });

  it('refuses routes missing in the table, including those for all methods', async () => {
    const status = ownApp({ behind: secret });
    for (const role of ROLES) expect(await status('GET', '/admin', role)).toBe(403);
    expect(await status('GET', '/admin')).toBe(401);
    const table = { 'ALL /admin': 'admin' };
    const listed = ownApp({ table, behind: secret });
    expect([await listed('GET', '/admin', 'operate'), await listed('PUT', '/admin', 'admin')]).toEqual([403, 200]);
  });

  it('is checked again by the router, whatever the table says', async () => {
    const status = ownApp({ table: { 'POST /documents/run': 'view', 'PUT /documents/cancel': 'view' } });
    expect(await status('POST', '/documents/run', 'view')).toBe(403);
    expect(await status('PUT', '/documents/cancel?taskId=a', 'view')).toBe(403);
    expect(IN).toContain(await status('POST', '/documents/run', 'operate'));
  });

  it('answers HEAD like GET', async () => {
    const status = ownApp();
    expect(await status('HEAD', '/documents/info')).toBe(401);
    expect(await status('HEAD', '/documents/info', 'view')).toBe(400);
  });
});

describe('a task router without auth', () => {
  const app = new Hono();
  app.route('/documents', createTaskRouter({ ...options, type: 'upsert', corsOrigins: ['https://mine.example'] }));
  const run = async (headers: Record<string, string>, body = '{"index": "docs", "items": []}') =>
    (await app.request('http://localhost/documents/run', { method: 'POST', headers, body })).status;
  const json = { 'content-type': 'application/json' };

  it('refuses pages of other sites', async () => {
    expect(await run({ ...json, origin: 'https://evil.example' })).toBe(403);
    expect(await run({ ...json, origin: 'null' })).toBe(403);
    expect(await run({ ...json, 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await run({ ...json, 'sec-fetch-site': 'same-site' })).toBe(403);
    const pages: Record<string, string>[] = [
      {},
      { origin: 'http://localhost' },
      { origin: 'https://mine.example', 'sec-fetch-site': 'cross-site' },
    ];
    for (const headers of pages) expect(await run({ ...json, ...headers })).not.toBe(403);
  });
});
