import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createRefusals } from '../../../src/api/middleware/refusals.ts';
import { startHttpServer } from '../../../src/runtime/http-server.ts';
import { silentDatabase, testApi } from '../support.ts';

it('a wrong token is refused later each time, up to a limit, and a right one is accepted immediately', async () => {
  const apiTokens = [{ name: 'ann', role: 'admin' as const, token: 'the-right-token-of-ann-123' }];
  const app = testApi(silentDatabase(), { settings: { apiTokens } });
  const server = await startHttpServer({ fetch: app.fetch, host: '127.0.0.1', port: 0, anyPort: false });
  const ask = async (token: string) => {
    const began = performance.now();
    const { status } = await fetch(`${server.url}/v1/me`, { headers: { authorization: `Bearer ${token}` } });
    return { status, ms: performance.now() - began };
  };
  try {
    const waits = [];
    for (let times = 0; times < 6; times++) {
      const { status, ms } = await ask(`guess-${times}`);
      expect(status).toBe(401);
      waits.push(ms);
    }
    expect(waits[4]).toBeGreaterThanOrEqual(195);
    expect(waits[5]).toBeGreaterThanOrEqual(395);
    expect((await ask('the-right-token-of-ann-123')).status).toBe(200);
  } finally {
    await server.stop(0);
  }
});

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

it('the delay holds a limited number of answers and forgets callers', async () => {
  const refuse = createRefusals({ free: 0, firstMs: 60_000, maxMs: 60_000, maxHeld: 1, maxCallers: 2 });
  void refuse('a');
  await refuse('a'); // one is delayed already
  const quick = createRefusals({ free: 1, firstMs: 60_000, forgetMs: 1_000 });
  await quick('a');
  vi.setSystemTime(Date.now() + 1_001);
  await quick('a');
});
