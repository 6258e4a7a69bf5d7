import { describe, expect, it } from 'vitest';
import { DASHBOARD_PAGES } from '../../src/api/dashboard.ts';
import { openApiDocument } from '../../src/api/document.ts';
import { call, silentDatabase, silentTemporal, testApi } from './support.ts';

const app = (change: Parameters<typeof testApi>[1] = {}) => testApi(silentDatabase(), change);
const well = async () => {};
const ill = () => Promise.reject(new Error('secret address'));
const hung = () => new Promise(() => {});

// Most of these wait two seconds for a server that does not answer.
describe.concurrent('health', () => {
  it('is up as long as the process is', async () => {
    expect(await call(app(), 'GET', '/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  it.each([
    ['both answer', well, well, 200, []],
    ['the database does not', ill, well, 503, ['database']],
    ['Temporal does not', well, hung, 503, ['temporal']],
    ['neither does', hung, ill, 503, ['database', 'temporal']],
  ])('is reported when %s, at the latest at the limit', async (_, database, temporal, status, silent) => {
    const answer = await call(app({ health: { database, temporal } }), 'GET', '/readyz');
    expect([answer.status, (answer.body.issues ?? []).map((issue: { path: string }) => issue.path)]).toEqual([
      status,
      silent,
    ]);
    expect(JSON.stringify(answer.body)).not.toContain('secret');
  });

  it('is checked on the servers themselves', async () => {
    const { status, body } = await call(app({ client: silentTemporal() }), 'GET', '/readyz');
    expect([status, body.issues.length]).toEqual([503, 2]);
  });

  it('is checked once for concurrent probes of a server that hangs', async () => {
    let asked = 0;
    const database = () => {
      asked++;
      return hung();
    };
    const one = app({ health: { database, temporal: well } });
    await Promise.all([1, 2, 3].map(() => call(one, 'GET', '/readyz')));
    expect(asked).toBe(1);
  });
});

describe.concurrent('tokens', () => {
  const tokenOf = (token: string) => ({ name: token, role: 'admin' as const, token });
  const guarded = app({ settings: { apiTokens: ['first-token', 'second-token'].map(tokenOf) } });
  const get = (path: string, authorization?: string) =>
    call(guarded, 'GET', path, undefined, authorization ? { authorization } : {});

  it('are required for every address except health and the dashboard, which holds no data', async () => {
    const paths = ['/docs', '/openapi.json', '/metrics', '/v1/indexes', '/nowhere', '/healthz/'].map(async (path) => {
      for (const wrong of [undefined, 'Bearer', 'Bearer first', 'Bearer first-token2', 'Basic first-token']) {
        const { status, headers, body } = await get(path, wrong);
        expect([path, status, headers.get('www-authenticate')]).toEqual([path, 401, 'Bearer realm="reembed"']);
        expect(body.type).toBe('urn:reembed:error:Unauthorized');
      }
      expect((await get(path, 'Bearer second-token')).status).not.toBe(401);
      expect((await get(path, 'bearer  first-token')).status).not.toBe(401);
    });
    await Promise.all(paths);
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(503);
  });
});

describe('answers', () => {
  it('carry headers that forbid browsers to guess types, frame pages and share across sites', async () => {
    const { headers } = await call(app(), 'GET', '/');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('x-frame-options')).toBe('DENY');
    const cross = await call(app(), 'OPTIONS', '/v1/indexes', undefined, { origin: 'https://elsewhere.example' });
    expect([cross.status, cross.headers.get('access-control-allow-origin')]).toEqual([405, null]);
  });

  it('refuse changes only on behalf of pages of other sites', async () => {
    const put = async (headers: object) => (await call(app(), 'PUT', '/v1/aliases/a', { index: 'b' }, headers)).status;
    expect(await put({ 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await put({ 'sec-fetch-site': 'same-site' })).toBe(403);
    expect(await put({ origin: 'https://elsewhere.example' })).toBe(403);
    expect(await put({ origin: 'null' })).toBe(403);
    for (const own of [{}, { 'sec-fetch-site': 'same-origin' }, { origin: 'http://localhost' }]) {
      expect(await put(own)).toBe(503); // there is no database
    }
  });

  it('name the methods of an address when another one was used', async () => {
    const { status, headers, body } = await call(app(), 'POST', '/v1/indexes/a');
    expect([status, headers.get('allow')]).toEqual([405, 'PUT, GET, HEAD, DELETE, PATCH']);
    expect(body.type).toBe('urn:reembed:error:MethodNotAllowed');
    expect((await call(app(), 'PATCH', '/nowhere')).status).toBe(404);
  });

  it('carry the id of the request, which the caller may choose if it is harmless', async () => {
    const sent = await call(app(), 'GET', '/healthz', undefined, { 'x-request-id': 'abc-123' });
    expect(sent.headers.get('x-request-id')).toBe('abc-123');
    const odd = await call(app(), 'GET', '/healthz', undefined, { 'x-request-id': 'a b<script>' });
    expect(odd.headers.get('x-request-id')).toMatch(/^[\w-]{36}$/);
  });

  it('hide the details of an unexpected error, which are in the log', async () => {
    const lines: unknown[] = [];
    const log = { info() {}, warn() {}, error: (line: unknown) => lines.push(line) };
    const models = {
      embedder: () => {
        throw new TypeError('secret');
      },
    };
    const { status, body } = await call(app({ models, log: log as never }), 'PUT', '/v1/indexes/a', {
      model: { provider: 'hash' },
    });
    expect([status, body.type]).toEqual([500, 'urn:reembed:error:Internal']);
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(lines).toMatchObject([{ err: { message: 'secret' } }]);
  });
});

it.concurrent('the metrics count requests by route and status, never by id', async () => {
  const one = app();
  await call(one, 'GET', '/v1/indexes/Bad-Name/objects/some-id');
  await call(one, 'GET', '/wp-login.php');
  const { body, headers } = await call(one, 'GET', '/metrics');
  expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(body).toContain(
    'reembed_http_requests_total{method="GET",route="/v1/indexes/:index/objects/:id",status="400"} 1',
  );
  expect(body).toContain('reembed_http_requests_total{method="GET",route="none",status="404"} 1');
  expect(body).toMatch(/process_cpu_seconds_total|nodejs_heap_size/);
  expect(body).not.toMatch(/some-id|wp-login/);
});

it.concurrent('the metrics are available without Postgres and Temporal, and report that these do not answer', async () => {
  const { status, body } = await call(app(), 'GET', '/metrics');
  expect(status).toBe(200);
  expect(body).toContain('reembed_scrape_error{source="postgres"} 1');
  expect(body).toContain('reembed_scrape_error{source="temporal"} 1');
  // Unknown values are left out.
  expect(body).not.toMatch(/^reembed_(tombstones|tasks_open|lock_age_seconds|schedule_missed_runs)[ {]/m);
});

describe('the OpenAPI document', () => {
  const PAGES = ['/docs', '/openapi.json', '/assets/*', ...DASHBOARD_PAGES].map((path) => `GET ${path}`);

  it('has every route of the app', () => {
    const one = app();
    const documented = Object.entries(openApiDocument(one).paths ?? {}).flatMap(([path, item]) =>
      Object.keys(item as object).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const routes = one.routes
      .filter(({ method, path }) => method !== 'ALL' && !PAGES.includes(`${method} ${path}`))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(documented.sort()).toEqual([...new Set(routes)].sort());
  });

  it('is consistent: ids are unique, references resolve, path parameters are described', async () => {
    const { status, body } = await call(app(), 'GET', '/openapi.json');
    expect([status, body.openapi, body.info.title, body.servers]).toEqual([200, '3.1.0', 'reembed', [{ url: '/' }]]);
    const ids: string[] = [];
    for (const [path, item] of Object.entries(body.paths)) {
      // biome-ignore lint/suspicious/noExplicitAny: a document from outside
      for (const operation of Object.values(item as object) as any[]) {
        if (operation.operationId) ids.push(operation.operationId);
        const inPath = (operation.parameters ?? []).filter((one: { in: string }) => one.in === 'path');
        expect(inPath.map((one: { name: string }) => `{${one.name}}`).sort()).toEqual(
          [...path.matchAll(/\{\w+\}/g)].map(([name]) => name).sort(),
        );
        expect([operation.summary, Object.keys(operation.responses).length > 0]).toEqual([expect.any(String), true]);
      }
    }
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, ref] of JSON.stringify(body).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      expect([ref, ref?.split('/').reduce((inner, key) => inner?.[key], body)]).toEqual([ref, expect.anything()]);
    }
    expect(Object.keys(body.components.schemas)).toEqual(expect.arrayContaining(['Index', 'Problem', 'SearchResult']));
  });

  it('is shown as a page without external resources', async () => {
    const { status, body } = await call(app(), 'GET', '/docs');
    expect(status).toBe(200);
    expect(body).toContain('/v1/indexes/{index}/search');
    expect(body).not.toMatch(/<script|src=|cdn|@import/);
    expect([...body.matchAll(/href="#([^"]+)"/g)].every(([, id]) => body.includes(`id="${id}"`))).toBe(true);
  });
});
