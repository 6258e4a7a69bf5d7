import { streamSSE } from 'hono/streaming';
import { describe, expect, it } from 'vitest';
import { createRouter } from '../../src/api/create-router.ts';
import { limitRequests } from '../../src/api/middleware/limits.ts';
import { onError } from '../../src/api/problems.ts';
import { createClient } from '../../src/client/client.ts';
import { startHttpServer } from '../../src/runtime/http-server.ts';
import { call, silentDatabase, testApi } from './support.ts';

const NONE = { perWindow: 0, windowMs: 60_000, atOnce: 0, streams: 0 };
const apiTokens = ['ann', 'bob'].map((name) => ({ name, role: 'admin' as const, token: name }));
const as = (name: string) => ({ authorization: `Bearer ${name}` });

describe('the rate of requests', () => {
  const limits = { ...NONE, perWindow: 3, windowMs: 3_600_000 };

  it('is counted separately for each token and reported in every answer', async () => {
    const app = testApi(silentDatabase(), { settings: { apiTokens, limits } });
    const me = (name: string) => call(app, 'GET', '/v1/me', undefined, as(name));
    for (const left of [2, 1, 0]) {
      const { status, headers } = await me('ann');
      expect([status, headers.get('ratelimit-policy')]).toEqual([200, '"token";q=3;w=3600']);
      expect(headers.get('ratelimit')).toMatch(new RegExp(`^"token";r=${left};t=\\d+$`));
    }
    const { status, headers, body } = await me('ann');
    expect([status, body.type]).toEqual([429, 'urn:reembed:error:TooManyRequests']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(3_500);
    expect(headers.get('ratelimit')).toMatch(/;r=0;/);
    expect((await me('bob')).status).toBe(200);
    // Unauthorized requests are not counted, and probes are always answered.
    expect((await call(app, 'GET', '/v1/me', undefined, as('eve'))).status).toBe(401);
    for (let probes = 0; probes < 5; probes++) expect((await app.request('/healthz')).status).toBe(200);
  });

  it('has no limit unless one is set', async () => {
    const app = testApi(silentDatabase(), { settings: { limits: NONE } });
    for (let times = 0; times < 50; times++) {
      const { status, headers } = await call(app, 'GET', '/v1/me');
      expect([status, headers.get('ratelimit')]).toEqual([200, null]);
    }
  });

  it('delays bulk writes for as long as the API asks', async () => {
    const app = testApi(silentDatabase(), {
      settings: { limits: { ...NONE, perWindow: 1, windowMs: 1_000 } },
    });
    const server = await startHttpServer({ fetch: app.fetch, host: '127.0.0.1', port: 0, anyPort: true });
    try {
      await fetch(`${server.url}/v1/me`);
      const bulk = createClient({ baseUrl: server.url }).bulk({ index: 'docs', retries: 1 });
      await bulk.delete('a');
      // The second try was accepted and reached the missing database.
      expect(await bulk.close()).toMatchObject({ retries: 1, failed: 1 });
    } finally {
      await server.stop(0);
    }
  });
});

describe('requests at once', () => {
  /** An app that delays its answers, on a real server, which knows when an answer has been sent. */
  async function heldApp(limits: { atOnce: number; streams: number }) {
    const app = createRouter();
    app.onError(onError());
    app.use((c, next) => {
      c.set('caller', c.req.header('x-caller') ?? 'ann');
      return next();
    });
    app.use(limitRequests({ ...NONE, ...limits }));
    const held: (() => void)[] = [];
    app.get('/slow', async (c) => {
      await new Promise<void>((resolve) => held.push(resolve));
      return c.text('at last');
    });
    app.get('/failing', async () => {
      throw new TypeError('no');
    });
    for (const address of ['/events', '/list']) {
      app.get(address, (c) =>
        streamSSE(c, async (stream) => {
          await stream.writeSSE({ data: 'first' });
          await new Promise<void>((resolve) => stream.onAbort(resolve));
        }),
      );
    }
    const server = await startHttpServer({ fetch: app.fetch, host: '127.0.0.1', port: 0, anyPort: true });
    const get = (path: string, caller = 'ann', signal?: AbortSignal) =>
      fetch(server.url + path, { headers: { 'x-caller': caller, accept: 'text/event-stream' }, signal });
    return { get, held, stop: () => server.stop(0) };
  }

  it('are counted for each token until their answers are sent', async () => {
    const { get, held, stop } = await heldApp({ atOnce: 2, streams: 0 });
    try {
      const running = [get('/slow'), get('/slow')];
      await expect.poll(() => held.length).toBe(2);
      const refused = await get('/slow');
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
      const other = get('/slow', 'bob');
      await expect.poll(() => held.length).toBe(3);
      for (const release of held) release();
      for (const { status } of await Promise.all([...running, other])) expect(status).toBe(200);
      // A failed request no longer counts either.
      for (let times = 0; times < 3; times++) {
        await expect.poll(async () => (await get('/failing')).status).toBe(500);
      }
    } finally {
      await stop();
    }
  });

  it('have a separate limit for streams, which stay open long after the answer begins', async () => {
    const { get, stop } = await heldApp({ atOnce: 1, streams: 1 });
    const left = new AbortController();
    try {
      const open = await get('/events', 'ann', left.signal);
      expect(open.status).toBe(200);
      expect((await get('/events')).status).toBe(429);
      expect((await get('/list')).status).toBe(429);
      expect((await get('/failing')).status).toBe(500);
      left.abort();
      await expect
        .poll(async () => {
          const again = new AbortController();
          const { status } = await get('/events', 'ann', again.signal);
          again.abort();
          return status;
        })
        .toBe(200);
    } finally {
      await stop();
    }
  });
});
