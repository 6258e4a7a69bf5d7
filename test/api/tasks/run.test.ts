import { Client, Connection } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createTaskRouters } from '../../../src/api/tasks/index.ts';
import { phaseTimesOf } from '../../../src/contract/phase-times.ts';
import type { Tracker } from '../../../src/contract/tasks.ts';
import { setAlias } from '../../../src/store/aliases.ts';
import { waitForTask } from '../../../src/temporal/index.ts';
import { makeIndex, openWorld, uniqueName, type World } from '../../temporal/support.ts';
import { stagedRows, taskApi } from './support.ts';

let world: World;
let api: ReturnType<typeof taskApi>;
let index: string;
beforeAll(async () => {
  world = await openWorld();
  await world.startWorkers();
  api = taskApi(world);
  index = (await makeIndex(world.db)).name;
});
// Failed and terminated tasks keep their items for a restart.
afterEach(async () => {
  await world.db.deleteFrom('reembed.staged_items').execute();
});
afterAll(() => world?.close());

const items = [
  { id: 'a', payload: 'one lion' },
  { id: 'b', payload: { title: 'two lions' }, metadata: { n: 2 } },
];

describe('POST /upsert/run', () => {
  test('accepts objects and answers 202 with the tracker and its address', async () => {
    const { status, body, headers } = await api.call('POST', '/upsert/run', { index, items });
    expect(status).toBe(202);
    expect(body).toMatchObject({ type: 'upsert', status: 'pending', progress: { total: 2 } });
    expect(headers.get('location')).toBe(`/upsert/info?taskId=${body.id}`);
    await waitForTask(world.client, body.id, 90_000);
    const info = await api.call('GET', `/upsert/info?task_id=${body.id}`);
    expect(info).toMatchObject({ status: 200, body: { status: 'done', data: { written: 2 }, version: body.version } });
    expect(await stagedRows(world)).toBe(0);
  });

  test('answers 200 at the end with wait=true, whatever the end is', async () => {
    const done = await api.call('POST', '/upsert/run?wait=true', { index, items });
    expect(done).toMatchObject({ status: 200, body: { status: 'done', data: { unchanged: 2 } } });
    const bad = { index, items: [{ id: 'c', uri: 'http://127.0.0.1:9/' }], ignoreFailedItems: false, maxAttempts: 1 };
    const exhausted = await api.call('POST', '/upsert/run?wait=true', bad);
    expect(exhausted).toMatchObject({ status: 200, body: { status: 'exhausted' } });
    const failedItems = await api.call('GET', `/upsert/failed-items?taskId=${exhausted.body.id}`);
    expect(failedItems.body).toMatchObject({ total: 1, cursor: null, items: [{ objectId: 'c', stage: 'load' }] });
  });

  test('answers 202 with wait=true when the time is up', async () => {
    const nobody = taskApi(world, { taskQueue: 'nobody' });
    const answer = await nobody.call('POST', '/upsert/run?wait=true&timeout=0.2', { index, items });
    expect(answer).toMatchObject({ status: 202, body: { status: 'pending' } });
    await world.client.workflow.getHandle(answer.body.id).terminate();
  });

  test('finds the task with the same id and input, in either form of body', async () => {
    const taskId = uniqueName('t');
    const first = await api.call('POST', '/upsert/run?wait=true', { taskId, index, items });
    const again = await api.call('POST', '/upsert/run?wait=true', { taskId, items, index });
    expect(again.body).toEqual(first.body);
    const ndjson = items.map((item) => JSON.stringify(item)).join('\n');
    const lines = await api.lines(`/upsert/run?wait=true&index=${index}&taskId=${taskId}`, ndjson);
    expect(lines.body).toEqual(first.body);
    expect(await stagedRows(world)).toBe(0);
  });

  test('answers 409 for the same id with other input unless the lock is ignored', async () => {
    const taskId = uniqueName('t');
    await api.call('POST', '/upsert/run?wait=true', { taskId, index, items });
    const other = { taskId, index, items: items.slice(1) };
    const locked = await api.call('POST', '/upsert/run', other);
    expect(locked).toMatchObject({ status: 409, body: { type: 'urn:reembed:error:TaskLocked' } });
    expect(locked.headers.get('content-type')).toContain('application/problem+json');
    const again = await api.call('POST', '/upsert/run?wait=true', other, { 'ignore-lock': 'true' });
    expect(again).toMatchObject({ status: 200, body: { status: 'done', attempts: 1, progress: { total: 1 } } });
    expect(await stagedRows(world)).toBe(0);
  });

  test('starts one task for twenty concurrent calls and leaves nothing staged', async () => {
    const taskId = uniqueName('t');
    const calls = Array.from({ length: 20 }, () => api.call('POST', '/upsert/run', { taskId, index, items }));
    const answers = await Promise.all(calls);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ body }) => body.links.runId)).size).toBe(1);
    expect(await waitForTask(world.client, taskId, 90_000)).toMatchObject({ status: 'done', attempts: 1 });
    expect(await stagedRows(world)).toBe(0);
  });

  test('names each bad field and starts nothing', async () => {
    const bad = { index, items: [{ id: 'a' }, { id: 'a', payload: 'x' }], colour: 'red' };
    const { status, body } = await api.call('POST', '/upsert/run', bad);
    expect(status).toBe(400);
    const paths = body.issues.map(({ path }: { path: string }) => path);
    expect(paths).toEqual(expect.arrayContaining(['items.0.payload', 'colour']));
    expect(await api.call('POST', '/upsert/run', '{"index": }')).toMatchObject({ status: 400 });
    expect(await api.call('POST', '/upsert/run', '')).toMatchObject({ status: 400 });
    expect(await api.call('POST', '/upsert/run', { index: 'nowhere', items })).toMatchObject({
      status: 404,
      body: { type: 'urn:reembed:error:IndexNotFound' },
    });
    expect(await api.call('POST', '/upsert/run', 'x', { 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
    const query = await api.call('POST', '/upsert/run?wait=maybe', { index, items });
    expect(query).toMatchObject({ status: 400, body: { issues: [{ path: 'query.wait' }] } });
  });

  test('refuses versions if the index assigns them, and requires them otherwise', async () => {
    const versioned = { index, items: [{ id: 'a', payload: 'x', version: 3 }] };
    expect(await api.call('POST', '/upsert/run', versioned)).toMatchObject({
      status: 400,
      body: { issues: [{ path: 'items.0.version' }] },
    });
    const external = (await makeIndex(world.db, { versioning: 'external' })).name;
    expect(await api.call('POST', '/upsert/run', { index: external, items })).toMatchObject({
      status: 400,
      body: { issues: [{ path: 'items.0.version' }, { path: 'items.1.version' }] },
    });
    expect(await stagedRows(world)).toBe(0);
  });

  test('keeps the staged items when it is unknown whether the task was started', async () => {
    const connection = Connection.lazy({ address: '127.0.0.1:9' });
    const app = createTaskRouters({ ...world, client: new Client({ connection }) });
    const body = JSON.stringify({ index, items });
    const headers = { 'content-type': 'application/json' };
    const answer = await app.request('/upsert/run', { method: 'POST', body, headers });
    expect(answer.status).toBe(503);
    expect(await stagedRows(world)).toBe(2);
    await connection.close();
  });
});

describe('the other types', () => {
  test('delete accepts ids and objects with ids', async () => {
    const answer = await api.call('POST', '/delete/run?wait=true', { index, ids: ['a', { id: 'b' }] });
    expect(answer).toMatchObject({ status: 200, body: { type: 'delete', status: 'done', data: { written: 2 } } });
  });

  test('reindex needs an existing source, and a model for a new destination', async () => {
    const source = (await makeIndex(world.db)).name;
    await setAlias(world.db, 'live', source);
    const dest = uniqueName('dest');
    expect(await api.call('POST', '/reindex/run', { source: 'nowhere', dest })).toMatchObject({
      status: 404,
      body: { detail: expect.stringContaining('source'), issues: [{ path: 'source' }] },
    });
    expect(await api.call('POST', '/reindex/run', { source, dest })).toMatchObject({
      status: 400,
      body: { issues: [{ path: 'destModel' }] },
    });
    expect(await api.call('POST', '/reindex/run', { source: 'live', dest: source })).toMatchObject({
      status: 400,
      body: { issues: [{ path: 'dest' }] },
    });
    expect(await api.call('POST', '/reindex/run', { source, dest: 'live', destSplitter: {} })).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('live is the name of an alias'), issues: [{ path: 'dest' }] },
    });
    expect(await api.call('POST', '/delete-index/run', { index: 'live' })).toMatchObject({
      status: 404,
      body: { detail: `live is an alias of the index ${source}: give the index's own name` },
    });
    const taskId = uniqueName('reindex');
    const body = { taskId, source: 'live', dest, destModel: { provider: 'hash', dimensions: 4 }, retire: 'now' };
    const first = await api.call('POST', '/reindex/run?wait=true', body);
    expect(first).toMatchObject({ status: 200, body: { status: 'done' } });
    // The same call returns the same task, although the alias has moved by now.
    expect((await api.call('POST', '/reindex/run?wait=true', body)).body).toEqual(first.body);
    const children = await api.call('GET', `/list?parentId=${taskId}&type=delete-index`);
    expect(children.status).toBe(200);
  });

  test('reindex records who started it, and when each phase ran', async () => {
    const source = (await makeIndex(world.db)).name;
    const ofAnn = taskApi(world, { callerOf: () => 'ann' });
    const body = { source, dest: uniqueName('dest'), destModel: { provider: 'hash', dimensions: 4 } };
    const { data } = (await ofAnn.call('POST', '/reindex/run?wait=true', body)).body as Tracker;
    expect(data).toMatchObject({ phase: 'done', startedBy: 'ann' });
    const times = Object.entries(phaseTimesOf(data));
    const phases = ['lock', 'prepare', 'copy', 'index', 'reconcile', 'verify', 'cut-over'];
    expect(times.map(([phase]) => phase).sort()).toEqual(phases.sort());
    expect(times.map(([, { since }]) => since)).toEqual(phases.map(() => null));
    expect(times.every(([, { seconds }]) => seconds >= 0)).toBe(true);
  });

  test('delete-index deletes an existing index', async () => {
    const name = (await makeIndex(world.db)).name;
    const taskId = uniqueName('gone');
    const first = await api.call('POST', '/delete-index/run?wait=true', { taskId, index: name });
    expect(first).toMatchObject({ status: 200, body: { status: 'done' } });
    expect((await api.call('POST', '/delete-index/run?wait=true', { taskId, index: name })).body).toEqual(first.body);
    expect(await api.call('POST', '/delete-index/run', { index: name })).toMatchObject({ status: 404 });
  });
});
