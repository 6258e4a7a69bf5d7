import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { freshFolder } from '../runtime/servers/fixtures/folder.ts';
import { silentDatabase, testApi } from './support.ts';

/** A folder like that of a build, with a secret next to it. */
function built(): string {
  const parent = mkdtempSync(path.join(tmpdir(), 'reembed-test-'));
  const folder = path.join(parent, 'dashboard');
  mkdirSync(path.join(folder, 'assets'), { recursive: true });
  writeFileSync(path.join(parent, 'secret.js'), 'secret');
  writeFileSync(path.join(folder, 'index.html'), '<!doctype html><title>built</title>');
  writeFileSync(path.join(folder, 'assets', 'main-abc.js'), 'script()');
  writeFileSync(path.join(folder, 'assets', 'main-abc.js.gz'), 'compressed');
  return folder;
}

const api = (dashboard: string) =>
  testApi(silentDatabase(), { settings: { dashboard, apiTokens: [{ name: 'ann', role: 'admin', token: 'a-token' }] } });

describe('the dashboard', () => {
  const folder = built();
  const app = api(folder);
  afterAll(() => rmSync(path.dirname(folder), { recursive: true }));
  const get = (address: string, headers = {}) => app.request(address, { headers });

  it.each(['/', '/tasks', '/tasks/rebuild-1%2F1', '/indexes/docs', '/search?text=a', '/schedules', '/activity'])(
    'is one page at %s, revalidated each time, without a token',
    async (address) => {
      const answer = await get(address);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain('<title>built</title>');
      expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(answer.headers.get('cache-control')).toBe('no-cache');
    },
  );

  it('says to a browser that an address does not exist, without a token, and to programs in JSON', async () => {
    const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
    for (const address of ['/nope', '/tasks-of-mine', '/v2/indexes']) {
      const answer = await get(address, browser);
      expect([address, answer.status, await answer.text()]).toEqual([address, 404, expect.stringContaining('built')]);
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'self'");
    }
    const token = { authorization: 'Bearer a-token' };
    const toPrograms = [
      await get('/nope', { ...token, accept: '*/*' }),
      await get('/v1/nope', { ...token, ...browser }),
      await get('/assets/nope.js', browser),
      await app.request('/nope', { method: 'POST', headers: { ...token, ...browser } }),
    ];
    for (const answer of toPrograms) expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect((await get('/v1/indexes', browser)).status).toBe(401);
  });

  it('allows only scripts from its own files', async () => {
    const policy = (await get('/')).headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toMatch(/script-src|unsafe-eval|\*/);
  });

  it('has files whose names change with their content, cached permanently, and compressed if accepted', async () => {
    const plain = await get('/assets/main-abc.js');
    expect([plain.status, await plain.text()]).toEqual([200, 'script()']);
    expect(plain.headers.get('content-type')).toMatch(/^text\/javascript/);
    expect(plain.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    const small = await get('/assets/main-abc.js', { 'accept-encoding': 'gzip' });
    expect([small.headers.get('content-encoding'), await small.text()]).toEqual(['gzip', 'compressed']);
  });

  it.each([
    '/assets/../../secret.js',
    '/assets/%2e%2e/%2e%2e/secret.js',
    '/assets/..%2f..%2fsecret.js',
    '/assets/none.js',
  ])('has nothing at %s', async (address) => {
    const answer = await get(address, { authorization: 'Bearer a-token' });
    expect([answer.status, await answer.text()]).toEqual([404, expect.not.stringContaining('secret')]);
  });

  it('leaves every other address to the API, which requires a token there', async () => {
    for (const address of ['/v1/tasks/list', '/v1/indexes', '/docs', '/openapi.json', '/metrics', '/nowhere']) {
      expect([address, (await get(address)).status]).toEqual([address, 401]);
    }
    expect((await get('/healthz')).status).toBe(200);
    expect((await app.request('/', { method: 'POST', headers: { authorization: 'Bearer a-token' } })).status).toBe(405);
  });
});

it('the page at / says how to build the dashboard if it has not been built', async () => {
  const app = api(path.join(freshFolder(), 'none'));
  const answer = await app.request('/');
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('npm run build:dashboard');
  expect((await app.request('/tasks')).status).toBe(503);
});
