import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createClient } from '../../src/client/client.ts';
import { createRegistry, defineTask } from '../../src/jobs/index.ts';
import { startTemporal } from '../support/rig.ts';
import { call, silentDatabase, testApi } from './support.ts';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await startTemporal('dev');
});
afterAll(() => environment?.teardown());

const noop = () => {};

/** A separate API that knows two jobs, or none if `known` is false. */
function givenApi({ known = true }: { known?: boolean } = {}) {
  const registry = createRegistry();
  defineTask({ name: 'check', description: 'Looks for what has expired.', registry, maxAttempts: 1 }, noop);
  defineTask(
    {
      name: 'report',
      registry,
      input: z.strictObject({ to: z.email(), day: z.coerce.date().optional() }),
      onDuplicate: 'discard',
      queue: ({ to }) => to.replace('@', '.'),
    },
    noop,
  );
  const taskQueue = `app-${randomUUID()}`;
  const app = testApi(silentDatabase(), {
    client: environment.client,
    taskQueue,
    ...(known && { registry }),
  });
  const fetch = async (url: string | URL | Request, init?: RequestInit) => app.request(`${url}`, init);
  return {
    app,
    taskQueue,
    reembed: createClient({ baseUrl: 'http://localhost', fetch: fetch as typeof globalThis.fetch }),
  };
}

const to = 'a@example.com';

describe('schedules', () => {
  test('are created by PUT, returned by GET, changed by another PUT, and removed by DELETE', async () => {
    const { app } = givenApi();
    const at = '/v1/schedules/report/weekly';
    const wanted = { every: '0 7 * * MON', timeZone: 'Europe/Berlin', input: { to }, options: { timeout: '5m' } };
    const made = await call(app, 'PUT', at, wanted);
    expect(made).toMatchObject({ status: 201, body: { name: 'report', key: 'weekly', ...wanted, overlap: 'skip' } });
    expect(made.body.nextTimes).toHaveLength(10);
    expect(await call(app, 'GET', at)).toMatchObject({ status: 200, body: made.body });
    const changed = await call(app, 'PUT', at, { ...wanted, every: '1h', timeZone: undefined });
    expect(changed).toMatchObject({ status: 200, body: { every: '1h', timeZone: null } });
    expect(await call(app, 'DELETE', at)).toMatchObject({ status: 204, body: '' });
    for (const [method, path] of [
      ['GET', at],
      ['DELETE', at],
      ['PUT', `${at}/pause`],
      ['PUT', `${at}/resume`],
      ['POST', `${at}/run`],
      ['GET', `${at}/times`],
    ] as const) {
      expect(await call(app, method, path)).toMatchObject({
        status: 404,
        body: { type: 'urn:reembed:error:ScheduleNotFound', detail: 'there is no schedule weekly of the job report' },
      });
    }
  });

  test('can be read, steered and listed with the client', async () => {
    const { reembed } = givenApi();
    const { schedules } = reembed;
    await schedules.put('check', 'often', { every: '10m', overlap: 'allow_all' });
    await schedules.put('report', 'weekly', { every: '@weekly', input: { to } });
    expect(await schedules.pause('check', 'often', 'too often')).toMatchObject({ paused: true, note: 'too often' });
    expect(await schedules.resume('check', 'often')).toMatchObject({ paused: false });
    const run = await schedules.run('check', 'often');
    expect(run.outcome).toBe('started');
    expect(await reembed.tasks.info(`${run.taskId}`)).toMatchObject({ type: 'job', status: 'pending' });
    expect(await schedules.get('check', 'often')).toMatchObject({
      counts: { started: 1 },
      recent: [{ taskId: run.taskId }],
    });
    expect(await schedules.run('report', 'weekly')).toMatchObject({ outcome: 'started' });
    expect(await schedules.run('report', 'weekly')).toEqual({ outcome: 'skipped', taskId: null });
    const range = { from: new Date('2030-01-01T00:00:00Z'), until: new Date('2030-01-01T00:30:00+00:00') };
    expect((await schedules.times('check', 'often', range)).map((time) => time.toISOString())).toEqual([
      '2030-01-01T00:10:00.000Z',
      '2030-01-01T00:20:00.000Z',
      '2030-01-01T00:30:00.000Z',
    ]);
    await vi.waitFor(async () => expect((await schedules.list()).schedules).toHaveLength(2), 90_000);
    expect((await schedules.list({ name: 'check' })).schedules).toMatchObject([{ name: 'check', key: 'often' }]);
    const page = await schedules.list({ limit: 1 });
    const rest = await schedules.list({ cursor: page.cursor });
    expect([...page.schedules, ...rest.schedules].map(({ key }) => key).sort()).toEqual(['often', 'weekly']);
    await schedules.remove('check', 'often');
    await expect(schedules.get('check', 'often')).rejects.toMatchObject({ type: 'ScheduleNotFound' });
  });

  test('start audits and syncs, under any name, and are changed back to jobs', async () => {
    const { reembed } = givenApi();
    const { schedules } = reembed;
    const input = { source: 'articles', repair: true };
    const made = await schedules.put('nightly', 'default', { every: '@daily', type: 'audit', input });
    expect(made).toMatchObject({ name: 'nightly', type: 'audit', input, options: {} });
    const { taskId } = await schedules.run('nightly', 'default');
    expect(await reembed.tasks.info(`${taskId}`)).toMatchObject({ type: 'audit', status: 'pending' });
    expect(await schedules.put('nightly', 'default', { every: '@daily', type: 'audit', input })).toMatchObject({
      updateTime: made.updateTime,
    });
    const sync = { every: '@daily', type: 'sync' as const, input: { source: 'articles' } };
    expect(await schedules.put('nightly', 'default', sync)).toMatchObject({ type: 'sync', input: sync.input });
    await expect(schedules.put('nightly', 'default', { every: '@daily' })).rejects.toMatchObject({
      type: 'JobUnknown',
    });
    expect(await schedules.put('check', 'default', { every: '@daily' })).toMatchObject({ type: 'job' });
  });

  test.each([
    [{ every: '61 * * * *' }, 'every'],
    [{ every: '500ms' }, 'every'],
    [{}, 'every'],
    [{ every: '@daily', timeZone: 'Nowhere' }, 'timeZone'],
    [{ every: '1h', timeZone: 'UTC' }, 'timeZone'],
    [{ every: '1h', overlap: 'queue' }, 'overlap'],
    [{ every: '1h', catchUp: '1s' }, 'catchUp'],
    [{ every: '1h', often: true }, 'often'],
    [{ every: '1h', options: { at: '2030-01-01T00:00:00Z' } }, 'options.at'],
    [{ every: '1h', options: { maxAttempts: 0 } }, 'options.maxAttempts'],
    [{ every: '1h', options: { newest: true } }, 'options.newest'],
    [{ every: '1h', input: { to: 'nobody' } }, 'input.to'],
    [{ every: '1h', type: 'reindex' }, 'type'],
    [{ every: '1h', type: 'audit', input: { source: 'articles', after: 'a' } }, 'input.after'],
    [{ every: '1h', type: 'sync', input: { source: 'articles', taskId: 'mine' } }, 'input.taskId'],
    [{ every: '1h', type: 'sync', input: { source: 'articles' }, options: {} }, 'options'],
  ])('are refused before anything is created: %j names %s', async (change: Record<string, unknown>, path) => {
    const { app } = givenApi();
    const answer = await call(app, 'PUT', '/v1/schedules/report/default', { input: { to }, ...change });
    expect(answer).toMatchObject({ status: 400, body: { type: 'urn:reembed:error:InvalidInput', issues: [{ path }] } });
    expect((await call(app, 'GET', '/v1/schedules/report/default')).status).toBe(404);
  });

  test('are refused for a key that no address can contain, and for an unknown job', async () => {
    const { app } = givenApi();
    const bad = await call(app, 'PUT', '/v1/schedules/check/a%2Fb', { every: '1h' });
    expect(bad).toMatchObject({ status: 400, body: { issues: [{ path: 'path.key' }] } });
    const unknown = await call(app, 'PUT', '/v1/schedules/chekc/default', { every: '1h' });
    expect(unknown).toMatchObject({
      status: 404,
      body: { type: 'urn:reembed:error:JobUnknown', detail: 'there is no job chekc; defined jobs: check, report' },
    });
  });

  test('are refused on request if they exist already', async () => {
    const { app } = givenApi();
    const put = (ifExists?: string) => call(app, 'PUT', '/v1/schedules/check/default', { every: '1h', ifExists });
    expect((await put('refuse')).status).toBe(201);
    expect(await put('refuse')).toMatchObject({ status: 409, body: { type: 'urn:reembed:error:ScheduleExists' } });
    expect((await put('keep')).status).toBe(200);
  });

  test('are accepted unchecked if the API knows no jobs', async () => {
    const { app } = givenApi({ known: false });
    const made = await call(app, 'PUT', '/v1/schedules/anything/default', { every: '1h', input: [1, 2] });
    expect(made).toMatchObject({ status: 201, body: { input: [1, 2] } });
  });
});

describe('jobs', () => {
  test('are listed with their options and the schemas of their inputs', async () => {
    const { app } = givenApi();
    const { body } = await call(app, 'GET', '/v1/jobs');
    expect(body).toMatchObject({
      known: true,
      jobs: [
        {
          name: 'check',
          description: 'Looks for what has expired.',
          options: { maxAttempts: 1 },
          byInput: [],
          inputSchema: null,
        },
        {
          name: 'report',
          description: null,
          options: { onDuplicate: 'discard' },
          byInput: ['queue'],
          inputSchema: { type: 'object', properties: { to: { type: 'string', format: 'email' } }, required: ['to'] },
        },
      ],
    });
    expect((await call(givenApi({ known: false }).app, 'GET', '/v1/jobs')).body).toEqual({ jobs: [], known: false });
  });

  test('are run by name, once for each id', async () => {
    const { app, taskQueue } = givenApi();
    const taskId = `check-${randomUUID()}`;
    const body = { taskId, timeout: '30s', maxAttempts: 5 };
    const first = await call(app, 'POST', '/v1/jobs/check/run', body);
    expect(first).toMatchObject({ status: 202, body: { id: taskId, type: 'job', status: 'pending', maxAttempts: 5 } });
    expect(first.headers.get('location')).toBe(`/v1/tasks/info?taskId=${taskId}`);
    expect(await call(app, 'POST', '/v1/jobs/check/run?wait=true&timeout=0.1', body)).toMatchObject({
      status: 202,
      body: { id: taskId },
    });
    const other = await call(app, 'POST', '/v1/tasks/job/run', { name: 'check', ...body });
    expect(other).toMatchObject({ status: 202, body: { id: taskId } });
    const description = await environment.client.workflow.getHandle(taskId).describe();
    expect(description).toMatchObject({ type: 'job', taskQueue });
  });

  test.each([
    ['report', { input: { to: 'nobody' } }, 400, 'InvalidInput', 'input.to'],
    ['report', {}, 400, 'InvalidInput', 'input'],
    ['check', { input: 1 }, 400, 'InvalidInput', 'input'],
    ['check', { queue: 'a b' }, 400, 'InvalidInput', 'queue'],
    ['check', { at: 'soon' }, 400, 'InvalidInput', 'at'],
    ['check', { at: '2030-01-01T00:00:00Z', delay: '1h' }, 400, 'InvalidInput', 'delay'],
    ['check', { retries: 3 }, 400, 'InvalidInput', 'retries'],
    ['nothing', {}, 404, 'JobUnknown', 'path.name'],
  ])('are refused before anything starts: %s with %j', async (name, body, status, type, path) => {
    const { app } = givenApi();
    const answer = await call(app, 'POST', `/v1/jobs/${name}/run`, body);
    expect(answer).toMatchObject({
      status,
      body: { type: `urn:reembed:error:${type}`, issues: expect.arrayContaining([expect.objectContaining({ path })]) },
    });
  });
});
