import { serve } from '@hono/node-server';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApi } from '../../src/api/app.ts';
import { createClient, type ReembedClient } from '../../src/client/client.ts';
import { createModels } from '../../src/models/models.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { type Rig, silentLog, startRig, startTemporal } from '../support/rig.ts';

let environment: TestWorkflowEnvironment;
let database: TestDatabase;
let rig: Rig;
let server: ReturnType<typeof serve>;
let reembed: ReembedClient;

beforeAll(async () => {
  environment = await startTemporal('dev');
  database = await openPostgresDatabase();
  rig = await startRig({ environment, db: database.db });
  const app = createApi({
    db: database.db,
    client: environment.client,
    models: createModels({ env: {} }),
    taskQueue: rig.taskQueue,
    log: silentLog,
    settings: { apiTokens: [{ name: 'ann', role: 'admin', token: 'let-me-in' }] },
  });
  await new Promise<void>((resolve) => {
    server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve());
  });
  const { port } = server.address() as { port: number };
  reembed = createClient({ baseUrl: `http://127.0.0.1:${port}`, token: 'let-me-in' });
});

afterAll(async () => {
  server?.close();
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
});

const HASH = { model: { provider: 'hash', dimensions: 32 } } as const;

it('takes an index from creation through a reindex to deletion', async () => {
  await reembed.indexes.create('films-1', HASH);
  await reembed.aliases.set('films', 'films-1');
  const items = [
    { id: 'a/1', payload: 'a heist in space', metadata: { year: 2001 } },
    { id: 'b 2', payload: 'two lovers in Paris', metadata: { year: 1995 } },
  ];
  const upserted = await reembed.tasks.upsert({ index: 'films', items }, { wait: true });
  expect([upserted.status, upserted.progress.done]).toEqual(['done', 2]);
  const { index, hits } = await reembed.search('films', { text: 'a heist in space', limit: 1 });
  expect([index, hits[0]?.id]).toEqual(['films-1', 'a/1']);
  expect(await reembed.objects.get('films', 'a/1')).toMatchObject({
    payload: 'a heist in space',
    version: expect.any(Number),
  });

  const reindexed = await reembed.tasks.reindex(
    { taskId: 'to-2', source: 'films', dest: 'films-2', destModel: { provider: 'hash', dimensions: 64 } },
    { wait: 60 },
  );
  expect([reindexed.id, reindexed.status]).toEqual(['to-2', 'done']);
  expect(await reembed.aliases.list()).toEqual([{ alias: 'films', index: 'films-2' }]);
  expect((await reembed.search('films', { text: 'lovers in Paris', filter: { year: 1995 } })).hits).toHaveLength(1);
  const filter = { year: { gte: 1990, lt: 2000 }, not: { year: { in: [1994, 1996] } } };
  const nineties = await reembed.search('films', { text: 'lovers in Paris', filter, exact: true, ef: 100 });
  expect([nineties.hits.length, nineties.exact]).toEqual([1, true]);

  await expect(reembed.indexes.delete('films-2')).rejects.toMatchObject({ type: 'IndexAliased' });
  const deletion = await reembed.indexes.delete('films-1', { taskId: 'drop-1' });
  expect((await reembed.tasks.wait(deletion.id)).status).toBe('done');
  expect((await reembed.indexes.list()).map(({ name }) => name)).toEqual(['films-2']);
  expect((await reembed.indexes.delete('films-1', { taskId: 'drop-1' })).status).toBe('done');
  await expect(reembed.indexes.get('films-1')).rejects.toMatchObject({ type: 'IndexNotFound' });
});

it('sends any number of objects as a stream, and reports which failed', async () => {
  await reembed.indexes.create('many', HASH);
  async function* items() {
    for (let at = 0; at < 3_000; at++) yield { id: `m-${String(at).padStart(4, '0')}`, payload: `text ${at}` };
    yield { id: 'no-such-file', uri: 'file:///nowhere/at/all.txt' };
  }
  const tracker = await reembed.tasks.upsertStream('many', items(), { wait: true });
  expect([tracker.status, tracker.progress.failed]).toEqual(['done', 1]);
  const failed = [];
  for await (const item of reembed.tasks.failedItems(tracker.id)) failed.push(item);
  expect(failed).toMatchObject([{ objectId: 'no-such-file', stage: 'load' }]);
  let listed = 0;
  for await (const object of reembed.objects.list('many', { limit: 700 })) if (!object.failed) listed++;
  let streamed = 0;
  for await (const object of reembed.objects.stream('many')) if (!object.failed) streamed++;
  expect([listed, streamed]).toEqual([3_000, 3_000]);
  const gone = await reembed.tasks.deleteStream('many', ['m-0000', { id: 'm-0001' }], { wait: true });
  expect(gone.status).toBe('done');
  await expect(reembed.objects.get('many', 'm-0001')).rejects.toMatchObject({ type: 'ObjectNotFound' });
});

it('reports a bad line while the rest is still being sent', async () => {
  await reembed.indexes.create('lines', HASH);
  async function* items() {
    yield { id: 'a', payload: 'fine' };
    yield { id: '', payload: 'bad' };
    for (let at = 0; at < 5_000; at++) yield { id: `x${at}`, payload: 'x'.repeat(5_000) };
  }
  await expect(reembed.tasks.upsertStream('lines', items())).rejects.toMatchObject({
    type: 'InvalidInput',
    issues: [{ path: 'line 2.id' }],
  });
});

it('steers tasks and says why it cannot', async () => {
  await reembed.indexes.create('steered', HASH);
  const items = Array.from({ length: 200 }, (_, at) => ({ id: `s-${at}`, payload: `text ${at}` }));
  await reembed.tasks.upsert({ index: 'steered', items }, { wait: true });
  const body = { source: 'steered', dest: 'steered-2', destModel: HASH.model, ratePerSecond: 1, batchSize: 1 };
  const { id } = await reembed.tasks.reindex({ taskId: 'slow', ...body });
  await expect(reembed.tasks.reindex({ taskId: 'slow', ...body, batchSize: 2 })).rejects.toMatchObject({
    type: 'TaskLocked',
    status: 409,
  });
  expect((await reembed.tasks.throttle(id, null)).id).toBe('slow');
  expect((await reembed.tasks.pause(id)).status).toBe('paused');
  expect((await reembed.tasks.resume(id)).status).not.toBe('paused');
  expect(['canceled', 'done']).toContain((await reembed.tasks.cancel(id, 'enough')).status);
  await expect(reembed.tasks.pause(id)).rejects.toMatchObject({ type: 'TaskClosed' });
  await expect(reembed.tasks.info('no-such-task')).rejects.toMatchObject({ type: 'TaskNotFound' });
  await expect(reembed.tasks.wait('no-such-task')).rejects.toMatchObject({ type: 'TaskNotFound' });
  const { tasks } = await reembed.tasks.page({ type: 'reindex', limit: 10 });
  expect(tasks.map((task) => task.id)).toContain('slow');
  const { total } = await reembed.tasks.page({ limit: 1 });
  const all: string[] = [];
  for await (const task of reembed.tasks.list({ limit: 2 })) all.push(task.id);
  expect([all.length, new Set(all).size]).toEqual([total, total]);
  expect(total).toBeGreaterThan(4);
});

it('refuses requests without a token', async () => {
  const { port } = server.address() as { port: number };
  const stranger = createClient({ baseUrl: `http://127.0.0.1:${port}` });
  await expect(stranger.indexes.list()).rejects.toMatchObject({ type: 'Unauthorized', status: 401 });
  await expect(stranger.tasks.page()).rejects.toMatchObject({ type: 'Unauthorized' });
});
