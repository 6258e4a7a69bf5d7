import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createTaskRouter } from '../../../src/api/tasks/index.ts';
import { cancelTask, waitForTask } from '../../../src/temporal/index.ts';
import { eventually, makeIndex, openWorld, uniqueName, type World } from '../../temporal/support.ts';
import { listeningLog } from '../support.ts';
import { type Answer, taskApi } from './support.ts';

let world: World;
let api: ReturnType<typeof taskApi>;
let index: string;
beforeAll(async () => {
  world = await openWorld();
  await world.startWorkers();
  api = taskApi(world, { heartbeatMs: 300 });
  index = (await makeIndex(world.db)).name;
});
afterAll(() => world?.close());

const items = [{ id: 'a', payload: 'one lion' }];
const upsert = async () => (await api.call('POST', '/upsert/run?wait=true', { index, items })).body.id as string;
async function waitingTask(after = '1h'): Promise<string> {
  const victim = (await makeIndex(world.db)).name;
  const { body } = await api.call('POST', '/delete-index/run', { index: victim, after });
  await eventually(
    () => api.call('GET', `/info?taskId=${body.id}`),
    (answer: Answer) => answer.body.status === 'waiting',
  );
  return body.id;
}

describe('the calls about a task', () => {
  test('answer 404 for unknown ids and for tasks of another type', async () => {
    const taskId = await upsert();
    expect((await api.call('GET', `/upsert/info?taskId=${taskId}`)).status).toBe(200);
    for (const [method, call] of [
      ['GET', 'info'],
      ['GET', 'failed-items'],
      ['GET', 'events'],
      ['PUT', 'cancel'],
      ['PUT', 'restart'],
      ['PUT', 'pause'],
    ] as const) {
      const other = await api.call(method, `/delete/${call}?taskId=${taskId}`);
      expect(other).toMatchObject({ status: 404, body: { type: 'urn:reembed:error:TaskNotFound' } });
      expect(await api.call(method, `/${call}?taskId=nobody`)).toMatchObject({ status: 404 });
    }
    expect(await api.call('GET', '/info')).toMatchObject({ status: 400, body: { issues: [{ path: 'query.taskId' }] } });
  });

  test('cancel, restart and ignore answer with the tracker after the change', async () => {
    const taskId = await waitingTask();
    const canceled = await api.call('PUT', `/cancel?taskId=${taskId}&reason=enough`);
    expect(canceled).toMatchObject({ status: 200, body: { status: 'canceled', detail: 'canceled: enough' } });
    expect(await api.call('PUT', `/restart?taskId=${taskId}`)).toMatchObject({ status: 200, body: { attempts: 1 } });
    const ignored = await api.call('PUT', `/ignore?task_id=${taskId}`);
    expect(ignored).toMatchObject({ status: 200, body: { status: 'ignored', attempts: 2 } });
    expect(await api.call('PUT', `/restart?taskId=${taskId}`)).toMatchObject({
      status: 409,
      body: { type: 'urn:reembed:error:TaskClosed' },
    });
    expect((await api.call('PUT', `/restart?taskId=${taskId}&force=true`)).status).toBe(200);
    await cancelTask(world.client, taskId);
  });

  test('two ids for one task are refused', async () => {
    const taskId = await upsert();
    expect(await api.call('GET', `/info?taskId=${taskId}&task_id=another`)).toMatchObject({
      status: 400,
      body: { issues: [{ path: 'query.task_id' }] },
    });
    expect((await api.call('GET', `/info?taskId=${taskId}&task_id=${taskId}`)).status).toBe(200);
  });

  test('throttle exists for reindexes only', async () => {
    const taskId = await upsert();
    expect((await api.call('PUT', `/upsert/throttle?taskId=${taskId}&ratePerSecond=5`)).status).toBe(404);
    expect((await api.call('PUT', `/throttle?taskId=${taskId}&ratePerSecond=0`)).status).toBe(400);
    expect((await api.call('PUT', `/throttle?taskId=${taskId}&ratePerSecond=5`)).status).toBe(400);
  });

  test('budget exists for reindexes only', async () => {
    const taskId = await upsert();
    expect((await api.call('PUT', `/upsert/budget?taskId=${taskId}&tokens=5`)).status).toBe(404);
    expect((await api.call('PUT', `/budget?taskId=${taskId}&tokens=5`)).status).toBe(400);
  });

  test('list filters by type, status and index, and returns the cursor of the next page', async () => {
    const ids = [await upsert(), await upsert()];
    const list = () => api.call('GET', `/upsert/list?index=${index}&status=done&limit=1`);
    const first = await eventually(list, ({ body }) => body.total >= ids.length);
    expect(first.body.tasks).toHaveLength(1);
    expect(first.body.tasks[0]).toMatchObject({ type: 'upsert', status: 'done' });
    const next = await api.call('GET', `/upsert/list?index=${index}&status=done&limit=1&cursor=${first.body.cursor}`);
    expect(next.body.tasks[0].id).not.toBe(first.body.tasks[0].id);
    expect((await api.call('GET', `/delete/list?index=${index}`)).body).toMatchObject({ total: 0, cursor: null });
    for (const bad of ['status=good', 'limit=0', 'limit=1001', 'offset=-1', 'index=x%27', 'cursor=x', 'page=2']) {
      expect([bad, (await api.call('GET', `/list?${bad}`)).status]).toEqual([bad, 400]);
    }
    const typed = await api.call('GET', `/list?type=delete-index&limit=1000`);
    for (const { type } of typed.body.tasks) expect(type).toBe('delete-index');
  });

  test('failed-items answers in pages', async () => {
    const bad = ['a', 'b', 'c'].map((id) => ({ id, uri: 'http://127.0.0.1:9/' }));
    const { body } = await api.call('POST', '/upsert/run?wait=true', { index, items: bad });
    expect(body).toMatchObject({ status: 'done', data: { failed: 3 } });
    const first = await api.call('GET', `/failed-items?taskId=${body.id}&limit=2`);
    expect(first.body).toMatchObject({
      total: 3,
      items: [{ objectId: 'a', reason: 'LoadRefused' }, { objectId: 'b' }],
    });
    const second = await api.call('GET', `/failed-items?taskId=${body.id}&limit=2&cursor=${first.body.cursor}`);
    expect(second.body).toMatchObject({ items: [{ objectId: 'c' }], cursor: null });
  });
});

describe('the events of a task', () => {
  const eventsOf = (text: string) =>
    text
      .split('\n\n')
      .filter((block) => block.startsWith('event: tracker'))
      .map((block) => ({
        id: /^id: (.*)$/m.exec(block)?.[1],
        tracker: JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? 'null'),
      }));

  test('are sent until its end, with heartbeats in between', async () => {
    const taskId = await waitingTask('3s');
    const { status, headers, body } = await api.call('GET', `/events?taskId=${taskId}`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('text/event-stream');
    const events = eventsOf(body);
    expect(events[0]?.tracker).toMatchObject({ id: taskId, status: 'waiting' });
    expect(events.at(-1)?.tracker).toMatchObject({ status: 'done' });
    expect(events.at(-1)?.id).toBe(events.at(-1)?.tracker.updateTime);
    expect(body).toContain('\n: still here\n');
  });

  test('continue after the last one seen, and are answered with 204 when no more will come', async () => {
    const taskId = await upsert();
    const { body } = await api.call('GET', `/upsert/events?taskId=${taskId}`);
    const [event] = eventsOf(body);
    const again = await api.call('GET', `/upsert/events?taskId=${taskId}`, undefined, {
      'last-event-id': event?.id ?? '',
    });
    expect(again.status).toBe(204);
    const older = await api.call('GET', `/upsert/events?taskId=${taskId}`, undefined, { 'last-event-id': 'older' });
    expect(eventsOf(older.body)).toHaveLength(1);
  });

  test('stop when the reader disconnects', async () => {
    const taskId = await waitingTask();
    const response = await api.app.request(`/events?taskId=${taskId}`);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('event: tracker');
    await reader.cancel();
    await cancelTask(world.client, taskId);
  });
});

describe('a router in your own app', () => {
  test('answers with a custom format of trackers', async () => {
    const app = new Hono();
    const schema = z.object({ task: z.string(), state: z.string() });
    const { client, db, taskQueue } = world;
    const respond = {
      schema,
      convert: (tracker: { id: string; status: string }) => ({ task: tracker.id, state: tracker.status }),
    };
    app.route('/my/tasks', createTaskRouter({ client, db, taskQueue, type: 'upsert', respond }));
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ index, items, taskId: uniqueName('mine') });
    const run = await app.request('/my/tasks/run', { method: 'POST', body, headers });
    expect(run.status).toBe(202);
    const { task, ...rest } = (await run.json()) as { task: string };
    expect(rest).toEqual({ state: 'pending' });
    expect(run.headers.get('location')).toBe(`/my/tasks/info?taskId=${task}`);
    await waitForTask(client, task, 90_000);
    expect(await (await app.request(`/my/tasks/info?taskId=${task}`)).json()).toEqual({ task, state: 'done' });
    const list = await eventually(
      async () =>
        (await (await app.request(`/my/tasks/list?index=${index}&limit=1000`)).json()) as { tasks: unknown[] },
      ({ tasks }) => tasks.some((row) => (row as { task: string }).task === task),
    );
    expect(list.tasks).toContainEqual({ task, state: 'done' });
    const missing = await app.request('/my/tasks/info?taskId=none');
    expect(missing.status).toBe(404);
    expect(missing.headers.get('content-type')).toContain('application/problem+json');
  });

  test('answers with 500 and a log line when its schema refuses the answer, without blaming the caller', async () => {
    const { client, db, taskQueue } = world;
    const respond = {
      schema: z.object({ job: z.string().max(3) }),
      convert: ({ id }: { id: string }) => ({ job: id }),
    };
    const log = listeningLog();
    const app = createTaskRouter({ client, db, taskQueue, type: 'upsert', respond, log });
    const headers = { 'content-type': 'application/json' };
    const taskId = uniqueName('wrong');
    const body = JSON.stringify({ index, items, taskId });
    const run = await app.request('/run', { method: 'POST', body, headers });
    expect([run.status, await run.json()]).toEqual([
      500,
      expect.objectContaining({ type: 'urn:reembed:error:Internal' }),
    ]);
    expect(log.lines).toContainEqual(expect.objectContaining({ message: 'a request failed' }));
    expect(String((log.lines.find(({ err }) => err) as { err: Error }).err)).toContain(
      `the answer for the task ${taskId}`,
    );
  });

  test('refuses at compile time a function whose answers do not match its schema', () => {
    const { client, db, taskQueue } = world;
    const schema = z.object({ job: z.string() });
    // @ts-expect-error: the field `job` is missing
    createTaskRouter({ client, db, taskQueue, respond: { schema, convert: () => ({}) } });
    // @ts-expect-error: the field `job` must be a text
    createTaskRouter({ client, db, taskQueue, respond: { schema, convert: () => ({ job: 1 }) } });
    createTaskRouter({ client, db, taskQueue, respond: { schema, convert: ({ id }) => ({ job: id }) } });
  });

  test('describes every call, with the errors, under its own name', () => {
    const document = api.app.getOpenAPI31Document({ openapi: '3.1.0', info: { title: 't', version: '1' } });
    const paths = Object.keys(document.paths ?? {});
    expect(paths).toEqual(expect.arrayContaining(['/info', '/upsert/run', '/reindex/throttle', '/delete-index/list']));
    expect(paths).not.toContain('/run');
    const operations = Object.values(document.paths ?? {}).flatMap((path) => Object.values(path));
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { responses } of operations) expect(responses[400].content).toHaveProperty(['application/problem+json']);
    const body = document.paths?.['/upsert/run']?.post?.requestBody;
    expect(body).toMatchObject({ content: { 'application/json': {}, 'application/x-ndjson': {} } });
  });
});
