import { Hono } from 'hono';
import { expect, test } from 'vitest';
import type { ApiEnv } from '../../../src/api/create-router.ts';
import { beginInTurns } from '../../../src/api/middleware/turns.ts';

test('a probe is answered before the last of a thousand simultaneous requests starts', async () => {
  let begun = 0;
  const app = new Hono<ApiEnv>();
  app.use(beginInTurns(new Set(['/healthz'])));
  app.get('/healthz', (c) => c.text(String(begun)));
  app.get('/work/:at', (c) => {
    begun += 1;
    return c.text(c.req.param('at'));
  });
  const ended: string[] = [];
  const all = Array.from({ length: 1_000 }, async (_, at) => {
    const answer = await app.request(`/work/${at}`);
    ended.push(await answer.text());
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(Number(await (await app.request('/healthz')).text())).toBeLessThan(500);
  await Promise.all(all);
  expect(ended).toEqual(Array.from({ length: 1_000 }, (_, at) => String(at)));
});
