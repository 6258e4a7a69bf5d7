import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type System, startSystem } from '../support/system.ts';
import { runScript, startScript } from './support.ts';

// Each starts its own processes.
vi.setConfig({ testTimeout: 180_000 });

let system: System;
let folder: string;
beforeAll(async () => {
  system = await startSystem();
  folder = await mkdtemp(path.join(tmpdir(), 'reembed-examples-'));
});
afterAll(async () => {
  await system?.stop();
  await rm(folder, { recursive: true, force: true });
});

const HASH = { model: { provider: 'hash', dimensions: 16 } } as const;

it('own-router serves tasks at its own paths and in its own words', async () => {
  const { reembed, environment, database, rig } = system;
  await reembed.indexes.create('own', HASH);
  const token = { authorization: 'Bearer token-of-the-example-app' };
  const server = startScript('examples/own-router/server.ts', [], {
    TEMPORAL_ADDRESS: environment.connection.options.address,
    TEMPORAL_NAMESPACE: environment.client.options.namespace,
    DATABASE_URL: database.url,
    REEMBED_TASK_QUEUE: rig.taskQueue,
    REEMBED_API_TOKENS: 'ann:operate:token-of-the-example-app',
    PORT: '0',
  });
  try {
    await expect.poll(() => server.output.out, { timeout: 90_000 }).toMatch(/^http:/);
    const url = server.output.out.trim();
    const post = (body: unknown) =>
      fetch(`${url}/documents/run?wait=true`, {
        method: 'POST',
        headers: { ...token, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const done = await post({ taskId: 'mine', index: 'own', items: [{ id: 'a', payload: 'a lion' }] });
    const mine = { job: 'mine', finished: true, percent: 100, message: '1 written' };
    expect([done.status, await done.json()]).toEqual([200, mine]);
    expect(await (await fetch(`${url}/documents/info?taskId=mine`, { headers: token })).json()).toEqual(mine);
    const bad = await post({ index: 'own', items: [{ id: 'a' }] });
    expect([bad.status, await bad.json()]).toMatchObject([400, { issues: [{ path: 'items.0.payload' }] }]);
    expect((await fetch(`${url}/documents/info?taskId=mine`)).status).toBe(401);
    // A task of another type does not belong to this router.
    expect((await fetch(`${url}/rebuilds/info?taskId=mine`, { headers: token })).status).toBe(404);
    expect(await (await fetch(url)).text()).toBe('my service');
  } finally {
    server.child.kill('SIGTERM');
    await server.ended;
  }
  expect(server.output.error).toBe('');
});

it('bulk-load writes and deletes the lines of a file, the last one wins, and shows what failed', async () => {
  const { reembed, url } = system;
  await reembed.indexes.create('loaded', HASH);
  const lines = Array.from({ length: 1_500 }, (_, at) => ({ id: `l${at % 1_200}`, payload: `line\u2028${at}` }));
  const file = path.join(folder, 'objects.ndjson');
  const all = [...lines, { id: 'l7', deleted: true }, { id: '', payload: 'no id' }];
  await writeFile(file, all.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const run = await runScript('examples/bulk-load/load.ts', [file, 'loaded'], { REEMBED_URL: url });
  expect(run.out).toMatch(/^1501 done \(0 unchanged\), 1 failed, in \d+ tasks and [\d.]+ s\n$/);
  expect([run.code, JSON.parse(run.error)]).toMatchObject([1, { stage: 'check', operation: { upsert: { id: '' } } }]);
  expect((await reembed.objects.get('loaded', 'l3')).payload).toBe('line\u20281203');
  await expect(reembed.objects.get('loaded', 'l7')).rejects.toMatchObject({ type: 'ObjectNotFound' });
});

it('watch-reindex rebuilds an index, and watches the same task when it is started again', async () => {
  const { reembed, url } = system;
  await reembed.indexes.create('shown-v1', HASH);
  await reembed.aliases.set('shown', 'shown-v1');
  await reembed.tasks.upsert({ index: 'shown', items: [{ id: 'a', payload: 'a lion' }] }, { wait: true });
  for (let time = 1; time <= 2; time++) {
    const run = await runScript('examples/watch-reindex/watch.ts', ['shown', 'shown-v2', 'words'], {
      REEMBED_URL: url,
    });
    expect([run.code, run.error]).toEqual([0, '']);
    expect(run.out).toMatch(
      /\ndone: 1 of 1.*\nshown is served by shown-v2\n$|^done: 1 of 1.*\nshown is served by shown-v2\n$/,
    );
  }
  expect((await reembed.tasks.page({ type: 'reindex' })).total).toBe(1);
});
