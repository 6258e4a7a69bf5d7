import { Client, type WorkflowClientInterceptor } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartTaskOptions } from '../../../src/temporal/index.ts';
import {
  cancelTask,
  findSameTask,
  getTracker,
  listTasks,
  startTask,
  waitForTask,
} from '../../../src/temporal/index.ts';
import { eventually, makeIndex, openWorld, uniqueName, type World } from '../support.ts';

let world: World;
let index: string;
beforeAll(async () => {
  world = await openWorld();
  await world.startWorkers();
  index = (await makeIndex(world.db)).name;
});
afterAll(() => world?.close());

function upsertOf(taskId: string, change: Partial<StartTaskOptions<'upsert'>> = {}): StartTaskOptions<'upsert'> {
  const input = { index, items: [{ id: 'a', payload: 'one lion' }] };
  return { type: 'upsert', taskId, input, taskQueue: world.taskQueue, inputHash: 'h1', ...change };
}

describe('starting a task', () => {
  test('answers with a pending tracker and runs it', async () => {
    const taskId = uniqueName('t');
    const started = await startTask(world.client, upsertOf(taskId));
    expect(started).toMatchObject({ existing: false, tracker: { id: taskId, type: 'upsert', status: 'pending' } });
    const tracker = await waitForTask(world.client, taskId, 90_000);
    expect(tracker).toMatchObject({ status: 'done', attempts: 1, data: { written: 1 } });
    expect(started.existing === false && started.tracker.links).toEqual(tracker.links);
  });

  test('appears in lists and the UI before a worker has seen it', async () => {
    const taskId = uniqueName('t');
    await startTask(world.client, upsertOf(taskId, { taskQueue: 'nobody' }));
    const described = await world.client.workflow.getHandle(taskId).describe();
    expect(described.memo).toMatchObject({ inputHash: 'h1', tracker: { id: taskId, status: 'pending' } });
    expect(described.priority?.priorityKey).toBe(2);
    expect(await described.staticSummary()).toBe(`upsert 1 objects into ${index}`);
    const list = () => listTasks(world.client, { statuses: ['pending'], index });
    const { tasks } = await eventually(list, (page) => page.tasks.some(({ id }) => id === taskId));
    expect(tasks.find(({ id }) => id === taskId)).toMatchObject({ type: 'upsert', status: 'pending' });
    await world.client.workflow.getHandle(taskId).terminate();
  });

  test('passes the first workflow task with the start on the connection of a worker', async () => {
    const { nativeConnection, namespace } = world.environment;
    const eager: boolean[] = [];
    const start: WorkflowClientInterceptor['startWithDetails'] = async (input, next) => {
      const output = await next(input);
      eager.push(output.eagerlyStarted);
      return output;
    };
    const interceptors = { workflow: [{ startWithDetails: start }] };
    const client = new Client({ connection: nativeConnection, namespace: namespace ?? 'default', interceptors });
    const taskId = uniqueName('t');
    await startTask(client, upsertOf(taskId));
    expect(await waitForTask(world.client, taskId, 90_000)).toMatchObject({ status: 'done', data: { written: 1 } });
    // If no worker on the connection takes such tasks, the start works as usual.
    await startTask(client, upsertOf(uniqueName('t'), { taskQueue: 'nobody' }));
    expect(eager).toEqual([true, false]);
  });

  test('gives the copies of a reindex the priority of live writes, which would starve a lower one', async () => {
    const taskId = uniqueName('t');
    const input = { source: (await makeIndex(world.db)).name, dest: (await makeIndex(world.db)).name };
    await startTask(world.client, { type: 'reindex', taskId, input, taskQueue: world.taskQueue, inputHash: 'h1' });
    expect(await waitForTask(world.client, taskId, 90_000)).toMatchObject({ status: 'done' });
    const priorityOf = async (id: string) => (await world.client.workflow.getHandle(id).describe()).priority;
    expect(await priorityOf(taskId)).toMatchObject({ priorityKey: 2 });
    expect(await priorityOf(`${taskId}/1/1`)).toMatchObject({ priorityKey: 2 });
  });

  test('returns the running or ended task with the same id and input', async () => {
    const taskId = uniqueName('t');
    await startTask(world.client, upsertOf(taskId));
    expect(await startTask(world.client, upsertOf(taskId))).toEqual({ existing: true });
    await waitForTask(world.client, taskId, 90_000);
    expect(await startTask(world.client, upsertOf(taskId))).toEqual({ existing: true });
    expect(await findSameTask(world.client, { type: 'upsert', taskId, inputHash: 'h1' })).toBe(true);
  });

  test('refuses an id that belongs to another input, type or program', async () => {
    const taskId = uniqueName('t');
    await startTask(world.client, upsertOf(taskId));
    const locked = { type: 'TaskLocked', message: expect.stringContaining('ignoreLock') };
    await expect(startTask(world.client, upsertOf(taskId, { inputHash: 'h2' }))).rejects.toMatchObject(locked);
    await expect(
      startTask(world.client, { ...upsertOf(taskId), type: 'delete', input: { index, ids: ['a'] } }),
    ).rejects.toMatchObject(locked);
    const foreign = uniqueName('foreign');
    await world.client.workflow.start('somethingElse', { workflowId: foreign, taskQueue: 'nobody' });
    await expect(startTask(world.client, upsertOf(foreign))).rejects.toMatchObject(locked);
    await expect(getTracker(world.client, foreign)).rejects.toMatchObject({ type: 'TaskNotFound' });
    await expect(cancelTask(world.client, foreign)).rejects.toMatchObject({ type: 'TaskNotFound' });
  });

  test('starts one workflow of twenty identical calls at once', async () => {
    const taskId = uniqueName('t');
    const calls = Array.from({ length: 20 }, () => startTask(world.client, upsertOf(taskId)));
    const started = await Promise.all(calls);
    expect(started.filter(({ existing }) => !existing)).toHaveLength(1);
    await waitForTask(world.client, taskId, 90_000);
    const list = () => listTasks(world.client, { index, limit: 100 });
    const seen = await eventually(list, (page) => page.tasks.some(({ id }) => id === taskId));
    expect(seen.tasks.filter(({ id }) => id === taskId)).toHaveLength(1);
  });

  test('ends the existing task and runs the new one with ignoreLock', async () => {
    const taskId = uniqueName('t');
    await startTask(world.client, { ...deleteLater(taskId), inputHash: 'h1' });
    const again = { ...deleteLater(taskId), input: { index: 'no-such-index' }, inputHash: 'h2', ignoreLock: true };
    expect(await startTask(world.client, again)).toMatchObject({ existing: false });
    expect(await waitForTask(world.client, taskId, 90_000)).toMatchObject({ status: 'failed' });
    const list = async () => (await listTasks(world.client, { limit: 1_000 })).tasks.filter(({ id }) => id === taskId);
    const listed = await eventually(list, ([row]) => row?.status === 'failed');
    expect(listed).toMatchObject([{ id: taskId, status: 'failed' }]);
  });

  test('terminates a task that no worker can stop with ignoreLock', async () => {
    const taskId = uniqueName('t');
    await startTask(world.client, upsertOf(taskId, { taskQueue: 'nobody' }));
    expect(await startTask(world.client, upsertOf(taskId, { ignoreLock: true }))).toMatchObject({ existing: false });
    expect(await waitForTask(world.client, taskId, 90_000)).toMatchObject({ status: 'done' });
  });
});

function deleteLater(taskId: string) {
  const input = { index, after: '1h' };
  return { type: 'delete-index', taskId, input, taskQueue: world.taskQueue } as const;
}
