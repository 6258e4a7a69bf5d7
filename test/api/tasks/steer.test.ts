import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SteerResult } from '../../../src/contract/steer-tasks.ts';
import { startTask } from '../../../src/temporal/index.ts';
import { eventually, makeIndex, openWorld, uniqueName, type World } from '../../temporal/support.ts';
import { type Answer, taskApi } from './support.ts';

let world: World;
let api: ReturnType<typeof taskApi>;
beforeAll(async () => {
  world = await openWorld();
  await world.startWorkers();
  api = taskApi(world, { callerOf: () => 'ann' });
});
afterAll(() => world?.close());

const status = async (taskId: string) => (await api.call('GET', `/info?taskId=${taskId}`)).body.status as string;

/** Starts waiting tasks on a new index and waits until they are listed as such. */
async function givenWaiting(count: number): Promise<{ index: string; ids: string[] }> {
  const index = (await makeIndex(world.db)).name;
  const bodies = Array.from({ length: count }, () => ({ taskId: uniqueName('wait'), index, after: '1h' }));
  await Promise.all(bodies.map((body) => api.call('POST', '/delete-index/run', body)));
  await listed(`index=${index}&status=waiting`, count);
  return { index, ids: bodies.map(({ taskId }) => taskId).sort() };
}

async function listed(query: string, count: number) {
  const { body } = await eventually(
    () => api.call('GET', `/counts?${query}`),
    (answer: Answer) => answer.body.total === count,
    30_000,
  );
  expect(body.total).toBe(count);
}

async function steer(body: object): Promise<{ tracker: Answer['body']; results: SteerResult[] }> {
  const { status: code, body: tracker } = await api.call('POST', '/steer/run?wait=true', body);
  expect([code, tracker.status, tracker.detail]).toEqual([200, 'done', expect.any(String)]);
  const { results, total, cursor } = (await api.call('GET', `/steer/results?taskId=${tracker.id}`)).body;
  expect([results.length, cursor]).toEqual([total, null]);
  return { tracker, results };
}

describe('steering many tasks', () => {
  test('is refused without any condition, and nothing is started', async () => {
    const before = (await api.call('GET', '/steer/list')).body.total;
    for (const [body, path] of [
      [{ action: 'cancel', filter: {} }, 'filter'],
      [{ action: 'cancel' }, 'filter'],
      [{ action: 'cancel', filter: { types: [] } }, 'filter.types'],
      [{ action: 'cancel', filter: { types: ['steer'] } }, 'filter.types.0'],
      [{ action: 'cancel', filter: { index: 'a' }, force: true }, 'force'],
      [{ action: 'restart', filter: { index: 'a' }, reason: 'why' }, 'reason'],
      [{ action: 'delete', filter: { index: 'a' } }, 'action'],
    ] as const) {
      const { status: code, body: problem } = await api.call('POST', '/steer/run', body);
      expect([code, problem.issues[0].path]).toEqual([400, path]);
    }
    expect((await api.call('GET', '/steer/list')).body.total).toBe(before);
    const byHand = await world.client.workflow.start('steerTasks', {
      workflowId: uniqueName('hand'),
      taskQueue: world.taskQueue,
      args: [{ action: 'cancel', filter: {} }],
    });
    await expect(byHand.result()).rejects.toMatchObject({
      cause: { message: expect.stringContaining('filter: needs') },
    });
  });

  test('records its caller in each task', async () => {
    const { index, ids } = await givenWaiting(1);
    const { tracker } = await steer({ action: 'cancel', filter: { index } });
    const { body } = await api.call('GET', `/info?taskId=${ids[0]}`);
    expect(tracker.data).toMatchObject({ by: 'ann' });
    expect(body.steering[0]).toMatchObject({ call: 'cancel', by: `ann, task ${tracker.id}` });
  });

  test('reports in a dry run what it would do, and does nothing', async () => {
    const { index, ids } = await givenWaiting(3);
    const { tracker, results } = await steer({ action: 'cancel', filter: { index }, dryRun: true });
    expect(results).toEqual(
      ids.map((taskId) => ({
        taskId,
        type: 'delete-index',
        status: 'waiting',
        outcome: 'would-cancel',
        reason: null,
        detail: '',
      })),
    );
    expect(tracker).toMatchObject({
      detail: '3 would cancel',
      progress: { done: 3, total: 3, failed: 0 },
      data: { action: 'cancel', dryRun: true, matched: 3, outcomes: { 'would-cancel': 3 } },
    });
    for (const id of ids) expect(await status(id)).toBe('waiting');
  });

  test('cancels only matching tasks, and says why it skipped some', async () => {
    const { index, ids } = await givenWaiting(4);
    const other = await givenWaiting(1);
    await api.call('PUT', `/cancel?taskId=${ids[0]}`);
    await listed(`index=${index}&status=canceled`, 1);
    const { tracker, results } = await steer({ action: 'cancel', filter: { index }, reason: 'enough' });
    expect(results.map(({ taskId, outcome }) => [taskId, outcome])).toEqual([
      [ids[0], 'nothing'],
      ...ids.slice(1).map((id) => [id, 'canceled']),
    ]);
    expect(results[0]?.detail).toBe('it has ended as canceled');
    expect(tracker).toMatchObject({ progress: { done: 4, total: 4, failed: 0 }, data: { matched: 4 } });
    expect((await api.call('GET', `/info?taskId=${ids[1]}`)).body.detail).toBe('canceled: enough');
    expect(await status(other.ids[0] ?? '')).toBe('waiting');
    expect((await api.call('GET', `/steer/results?taskId=${ids[0]}`)).status).toBe(404);
  });

  test('restarts failed tasks, and with force ignored ones', async () => {
    const index = uniqueName('later');
    const items = [{ id: 'a', payload: 'one lion' }];
    const ids = ['f1', 'f2'].map(uniqueName).sort();
    for (const taskId of ids) {
      const { taskQueue } = world;
      await startTask(world.client, { type: 'upsert', taskId, input: { index, items }, taskQueue, inputHash: 'h' });
    }
    await listed(`index=${index}&status=failed`, 2);
    await makeIndex(world.db, { name: index });
    const filter = { index, types: ['upsert'] };
    const { results } = await steer({ action: 'restart', filter: { ...filter, statuses: ['failed'] } });
    expect(results.map(({ outcome }) => outcome)).toEqual(['restarted', 'restarted']);
    await listed(`type=upsert&index=${index}&status=done`, 2);

    const waiting = await givenWaiting(1);
    const [id = ''] = waiting.ids;
    await api.call('PUT', `/ignore?taskId=${id}`);
    await listed(`index=${waiting.index}&status=ignored`, 1);
    const left = await steer({ action: 'restart', filter: { index: waiting.index } });
    expect(left.results).toMatchObject([{ outcome: 'nothing', detail: expect.stringContaining('set force') }]);
    const forced = await steer({ action: 'restart', filter: { index: waiting.index }, force: true });
    expect(forced.results).toMatchObject([{ outcome: 'restarted', status: 'ignored' }]);
    expect(['pending', 'processing', 'waiting']).toContain(await status(id));
  });

  test('pauses and resumes', async () => {
    const { index, ids } = await givenWaiting(2);
    const paused = await steer({ action: 'pause', filter: { taskIds: ids } });
    expect(paused.results.map(({ outcome }) => outcome)).toEqual(['paused', 'paused']);
    await listed(`index=${index}&status=paused`, 2);
    const again = await steer({ action: 'pause', filter: { index } });
    expect(again.results.map(({ detail }) => detail)).toEqual(['it is paused', 'it is paused']);
    const resumed = await steer({ action: 'resume', filter: { index, statuses: ['paused'] } });
    expect(resumed.results.map(({ outcome }) => outcome)).toEqual(['resumed', 'resumed']);
    for (const id of ids) expect(await status(id)).toBe('waiting');
  });

  test('reports ids without a task, and leaves steering tasks alone', async () => {
    const { ids } = await givenWaiting(1);
    const dry = await steer({ action: 'cancel', filter: { taskIds: ids }, dryRun: true });
    const taskIds = [dry.tracker.id, 'nobody', ...ids];
    const { tracker, results } = await steer({ action: 'cancel', filter: { taskIds } });
    expect(Object.fromEntries(results.map(({ taskId, outcome, reason }) => [taskId, [outcome, reason]]))).toEqual({
      [dry.tracker.id]: ['nothing', null],
      nobody: ['failed', 'TaskNotFound'],
      [ids[0] as string]: ['canceled', null],
    });
    expect(tracker).toMatchObject({ status: 'done', progress: { done: 3, total: 3, failed: 1 }, data: { failed: 1 } });
  });

  test('can itself be paused and canceled; its restart continues with the same tasks', async () => {
    const { index, ids } = await givenWaiting(2);
    const taskId = uniqueName('steer');
    const body = { taskId, action: 'cancel', filter: { index } };
    // Its pause comes before its first step.
    await world.client.workflow.signalWithStart('steerTasks', {
      workflowId: taskId,
      taskQueue: world.taskQueue,
      args: [body],
      signal: 'pause',
    });
    const paused = await eventually(
      () => api.call('GET', `/info?taskId=${taskId}`),
      (answer: Answer) => answer.body.status === 'paused',
    );
    expect(paused.body.status).toBe('paused');
    expect((await api.call('PUT', `/cancel?taskId=${taskId}`)).body.status).toBe('canceled');
    for (const id of ids) expect(await status(id)).toBe('waiting');
    await api.call('PUT', `/restart?taskId=${taskId}`);
    const done = await eventually(
      () => api.call('GET', `/info?taskId=${taskId}`),
      (answer: Answer) => answer.body.status === 'done',
      20_000,
    );
    expect(done.body).toMatchObject({ status: 'done', attempts: 2, data: { outcomes: { canceled: 2 } } });
  });
});
