import { describe, expect, it } from 'vitest';
import { call, silentDatabase, testApi } from './support.ts';

const SITE = 'https://console.example';
const UI = 'http://localhost:8233';
const tokens = [{ name: 'ann', role: 'admin' as const, token: 'a-token' }];
const settings = { corsOrigins: [SITE], codecOrigins: [UI], apiTokens: tokens };
const app = testApi(silentDatabase(), { settings });

const preflight = (path: string, origin: string, on = app) =>
  on.request(path, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'PUT' } });
const allowed = (response: Response) => response.headers.get('access-control-allow-origin');

describe('pages of other sites', () => {
  it('may call from the configured origins, whose preflight requests need no token', async () => {
    const response = await preflight('/v1/indexes', SITE);
    expect([response.status, allowed(response)]).toEqual([204, SITE]);
    expect(response.headers.get('access-control-allow-headers')).toContain('Authorization');
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
  });

  it.each(['https://elsewhere.example', 'http://console.example', `${SITE}:8443`, `${SITE}.evil.example`, 'null', UI])(
    'are refused if their origin is %s',
    async (origin) => {
      expect(allowed(await preflight('/v1/indexes', origin))).toBeNull();
      const get = await app.request('/v1/me', { headers: { origin, authorization: 'Bearer a-token' } });
      expect(allowed(get)).toBeNull();
      const headers = { origin, 'sec-fetch-site': 'cross-site', authorization: 'Bearer a-token' };
      expect((await call(app, 'PUT', '/v1/aliases/a', { index: 'b' }, headers)).status).toBe(403);
    },
  );

  it('are all refused unless origins are configured', async () => {
    const without = testApi(silentDatabase());
    const response = await preflight('/v1/indexes', SITE, without);
    expect([response.status, allowed(response)]).toEqual([405, null]);
  });

  it('may make changes and read the response headers if their origin is configured', async () => {
    const headers = { origin: SITE, 'sec-fetch-site': 'cross-site', authorization: 'Bearer a-token' };
    const answer = await call(app, 'PUT', '/v1/aliases/a', { index: 'b' }, headers);
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([503, SITE]); // no database
    expect(answer.headers.get('access-control-expose-headers')).toContain('Retry-After');
  });

  it('reach the codec endpoint only from its own origins', async () => {
    const response = await preflight('/codec/decode', UI);
    expect([allowed(response), response.headers.get('access-control-allow-credentials')]).toEqual([UI, 'true']);
    expect(allowed(await preflight('/codec/decode', SITE))).toBeNull();
    const headers = { origin: UI, 'sec-fetch-site': 'same-site', authorization: 'Bearer a-token' };
    expect((await call(app, 'POST', '/codec/decode', { payloads: [] }, headers)).status).toBe(200);
  });

  it('may not read addresses outside of /v1', async () => {
    for (const path of ['/', '/metrics', '/openapi.json']) expect(allowed(await preflight(path, SITE))).toBeNull();
  });
});

it('a page may load resources only from its own server, and any other answer may load none', async () => {
  const policy = async (path: string) =>
    (await testApi(silentDatabase()).request(path)).headers.get('content-security-policy');
  expect(await policy('/docs')).toMatch(/^default-src 'self';.*frame-ancestors 'none'/);
  for (const path of ['/openapi.json', '/v1/me', '/nowhere', '/v1/indexes', '/metrics']) {
    expect([path, await policy(path)]).toEqual([path, "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"]);
  }
});
