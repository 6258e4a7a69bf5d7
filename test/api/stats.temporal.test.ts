import { afterAll, beforeAll, expect, it } from 'vitest';
import { givenIndex } from '../support/rig.ts';
import { type System, startSystem } from '../support/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system?.stop());

const item = (id: string) => ({ id, payload: `text of ${id}` });

/** Waits, since Temporal's lists and counts lag a little. */
async function statsWhen(fits: (sums: Record<string, number>) => boolean, query = {}) {
  for (const endMs = Date.now() + 90_000; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    const { buckets } = await system.reembed.stats({ buckets: 4, ...query });
    const sums = { created: 0, done: 0, failed: 0, canceled: 0, open: buckets.at(-1)?.open ?? -1 };
    for (const bucket of buckets) {
      for (const name of ['created', 'done', 'failed', 'canceled'] as const) sums[name] += bucket[name];
    }
    if (fits(sums)) return { buckets, sums };
    if (Date.now() > endMs) throw new Error(`never so: ${JSON.stringify(sums)}`);
  }
}

it('the statistics count created, ended and open tasks per interval', async () => {
  const { reembed, database } = system;
  await givenIndex(database.db, 'stats');
  const before = new Date();
  await reembed.tasks.upsert({ index: 'stats', items: [item('a')] }, { wait: true });
  await reembed.tasks.upsert({ index: 'stats', items: [item('b')] }, { wait: true });
  const waiting = await reembed.tasks.deleteIndex({ index: 'stats', after: '1h' });
  const { buckets } = await statsWhen((sums) => sums.created === 3 && sums.done === 2 && sums.open === 1);
  expect(buckets).toHaveLength(4);
  expect(buckets.slice(0, 3).map(({ created, open }) => [created, open])).toEqual([
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
  // A running task counts as open in past intervals too.
  const later = await reembed.stats({ from: before, until: new Date(Date.now() + 60_000), buckets: 2 });
  expect(later.buckets.map(({ open }) => open)).toEqual([1, 1]);

  await reembed.tasks.cancel(waiting.id);
  await statsWhen((sums) => sums.canceled === 1 && sums.open === 0);
  const { sums } = await statsWhen((found) => found.created === 2, { type: 'upsert' });
  expect(sums).toEqual({ created: 2, done: 2, failed: 0, canceled: 0, open: 0 });
  await statsWhen((found) => found.created === 0, { index: 'another' });
});

it('the statistics count a failed task as failed', async () => {
  const { reembed } = system;
  await reembed.tasks.reindex({ source: 'nowhere', dest: 'none', maxAttempts: 1 }, { wait: true }).catch(() => {});
  await givenIndex(system.database.db, 'fails');
  const before = await statsWhen(() => true);
  await reembed.tasks.upsert(
    { index: 'fails', items: [{ id: 'a', uri: 'gopher://nowhere' }], ignoreFailedItems: false, maxAttempts: 1 },
    { wait: true },
  );
  await statsWhen((sums) => sums.failed === before.sums.failed + 1);
});

it('the call refuses intervals shorter than a second, and too many of them', async () => {
  const until = new Date();
  await expect(system.reembed.stats({ from: until, until })).rejects.toMatchObject({
    type: 'InvalidInput',
    issues: [{ path: 'query.from', message: expect.stringContaining('before') }],
  });
  await expect(system.reembed.stats({ buckets: 61 })).rejects.toMatchObject({ type: 'InvalidInput' });
});

it('the server information has the address of Temporal', async () => {
  expect(await system.reembed.server()).toMatchObject({
    temporal: { namespace: system.environment.namespace, uiUrl: null },
  });
  const url = await system.listen({ temporalUi: 'http://127.0.0.1:8233' });
  expect(await (await fetch(`${url}/v1/server`)).json()).toMatchObject({
    temporal: { uiUrl: 'http://127.0.0.1:8233' },
  });
});
