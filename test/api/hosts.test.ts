import http from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startHttpServer } from '../../src/runtime/http-server.ts';
import { call, silentDatabase, testApi } from './support.ts';

const apiTokens = [{ name: 'ann', role: 'admin' as const, token: 'a-token' }];
const open = testApi(silentDatabase(), {
  settings: { host: 'vectors.local', allowedHosts: ['Proxy.example', '10.0.0.7'] },
});
const closed = testApi(silentDatabase(), { settings: { apiTokens } });
const listed = testApi(silentDatabase(), { settings: { apiTokens, allowedHosts: ['proxy.example'] } });

const FOREIGN = [
  'evil.example',
  'evil.example:7400',
  'localhost.evil.example',
  'localhost.evil.example:7400',
  '127.0.0.1.evil.example',
  'evil.example.',
  '192.168.1.4',
  '10.0.0.8:7400',
  '0.0.0.0',
  '[::2]',
  '[::ffff:127.0.0.1]',
  '128.0.0.1',
  'proxy.example.evil.example',
];
const OWN = [
  'localhost',
  'LOCALHOST:7400',
  '127.0.0.1:7400',
  '127.1.2.3',
  '127.1',
  '[::1]:7400',
  '[0:0:0:0:0:0:0:1]',
  'vectors.local:80',
  'proxy.example:443',
  'PROXY.EXAMPLE',
  '10.0.0.7',
];
const ROUTES = [
  '/',
  '/healthz',
  '/readyz',
  '/metrics',
  '/docs',
  '/v1/me',
  '/v1/tasks/events?taskId=a',
  '/assets/a.js',
  '/nowhere',
];

describe('a server without tokens', () => {
  it.each(FOREIGN)('refuses the name %s', async (host) => {
    for (const path of ROUTES) {
      const response = await open.request(path, { headers: { host, origin: `http://${host}` } });
      expect([path, response.status]).toEqual([path, 421]);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
    }
    const { status, body } = await call(
      open,
      'PUT',
      '/v1/aliases/a',
      { index: 'b' },
      { host, 'sec-fetch-site': 'same-origin' },
    );
    expect([status, body.type]).toEqual([421, 'urn:reembed:error:WrongHost']);
    expect(body.detail).toContain('REEMBED_ALLOWED_HOSTS');
  });

  it.each(OWN)('answers to its own name %s', async (host) => {
    expect((await open.request('/v1/me', { headers: { host } })).status).toBe(200);
  });

  it('can be called only by pages of its own names, even for reading', async () => {
    const get = async (headers: Record<string, string>) => (await open.request('/v1/me', { headers })).status;
    expect(await get({ host: 'localhost', origin: 'http://evil.example' })).toBe(403);
    expect(await get({ host: 'localhost', origin: 'null' })).toBe(403);
    expect(await get({ host: 'localhost', origin: 'http://localhost' })).toBe(200);
    expect(await get({ host: 'localhost', 'sec-fetch-site': 'cross-site' })).toBe(200); // a link
  });

  it('takes the name from the whole request, as Node reads it', async () => {
    const server = await startHttpServer({ fetch: open.fetch, host: '127.0.0.1', port: 0, anyPort: false });
    onTestFinished(() => server.stop(0));
    const status = (path: string, host: string) =>
      new Promise((resolve, reject) => {
        const request = http.get({ port: server.port, path, headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        request.on('error', reject);
      });
    expect(await status('/v1/me', `localhost:${server.port}`)).toBe(200);
    expect(await status('/v1/me', 'evil.example')).toBe(421);
    expect(await status('http://evil.example/v1/me', 'localhost')).toBe(421);
    expect(await status('http://localhost/v1/me', 'evil.example')).toBe(421);
  });
});

describe('a server with tokens', () => {
  const authorization = 'Bearer a-token';

  it('answers to every name, unless names are set', async () => {
    expect((await closed.request('/v1/me', { headers: { host: 'any.example', authorization } })).status).toBe(200);
    expect((await listed.request('/v1/me', { headers: { host: 'any.example', authorization } })).status).toBe(421);
    expect((await listed.request('/healthz', { headers: { host: '10.2.0.9:7400' } })).status).toBe(200);
    for (const host of ['proxy.example', 'localhost:7400']) {
      expect((await listed.request('/v1/me', { headers: { host, authorization } })).status).toBe(200);
    }
  });

  it('refuses a wrong name before it asks for a token', async () => {
    expect((await listed.request('/v1/me', { headers: { host: 'any.example' } })).status).toBe(421);
  });
});
