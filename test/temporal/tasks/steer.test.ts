import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Tracker } from '../../../src/contract/tasks.ts';
import type { TaskInputs } from '../../../src/contract/workflow-inputs.ts';
import {
  cancelTask,
  getTracker,
  ignoreTask,
  pauseTask,
  restartTask,
  resumeTask,
  startTask,
  throttleTask,
  waitForTask,
  watchTask,
} from '../../../src/temporal/index.ts';
import { makeIndex, openWorld, uniqueName, type World } from '../support.ts';

let world: World;
let index: string;
let external: string;
beforeAll(async () => {
  world = await openWorld();
  await world.startWorkers();
  index = (await makeIndex(world.db)).name;
  external = (await makeIndex(world.db, { versioning: 'external' })).name;
});
afterAll(() => world?.close());

async function start<T extends 'upsert' | 'reindex' | 'delete-index'>(type: T, input: TaskInputs[T], queue?: string) {
  const taskId = uniqueName(type);
  await startTask(world.client, { type, taskId, input, taskQueue: queue ?? world.taskQueue, inputHash: 'h' });
  return taskId;
}
const waiting = () => start('delete-index', { index, after: '1h' });
const item = { id: 'a', payload: 'one lion' };
const until = async (taskId: string, status: Tracker['status']) => {
  for await (const tracker of watchTask(world.client, taskId)) if (tracker.status === status) return tracker;
  throw new Error(`${taskId} never was ${status}`);
};

describe('the tracker of a task', () => {
  test('is TaskNotFound for an unknown or impossible id', async () => {
    await expect(getTracker(world.client, uniqueName('none'))).rejects.toMatchObject({ type: 'TaskNotFound' });
    await expect(getTracker(world.client, 'x'.repeat(5_000))).rejects.toMatchObject({ type: 'TaskNotFound' });
  });

  test('shows a terminated workflow as canceled, and why', async () => {
    const taskId = await waiting();
    await until(taskId, 'waiting');
    await world.client.workflow.getHandle(taskId).terminate('by hand');
    expect(await getTracker(world.client, taskId)).toMatchObject({ status: 'canceled', detail: 'terminated: by hand' });
  });

  test('shows a workflow that timed out as failed', async () => {
    const taskId = uniqueName('slow');
    const args = [{ index, after: '1h' }];
    const options = { workflowId: taskId, taskQueue: world.taskQueue, args, workflowExecutionTimeout: '1 s' } as const;
    await world.client.workflow.start('deleteIndex', options);
    expect(await waitForTask(world.client, taskId, 90_000)).toMatchObject({ status: 'failed', detail: 'timed out' });
  });

  test('needs no worker for a task that is done, has failed or was canceled', async () => {
    const done = await start('upsert', { index, items: [item] });
    const failed = await start('upsert', { index: 'no-such-index', items: [item] });
    const canceled = await waiting();
    await until(canceled, 'waiting');
    await cancelTask(world.client, canceled, 'enough');
    await waitForTask(world.client, done, 90_000);
    await waitForTask(world.client, failed, 90_000);
    await waitForTask(world.client, canceled, 90_000);
    const asks = vi.spyOn(world.client.workflowService, 'queryWorkflow');
    expect(await getTracker(world.client, done)).toMatchObject({ status: 'done', data: { written: 1 } });
    expect(await getTracker(world.client, failed)).toMatchObject({
      status: 'failed',
      errors: [{ type: 'IndexNotFound' }],
    });
    expect(await getTracker(world.client, canceled)).toMatchObject({
      ...{ status: 'canceled', detail: 'canceled: enough', data: { index } },
      steering: [{ call: 'cancel' }],
    });
    expect(asks).not.toHaveBeenCalled();
    asks.mockRestore();
  });

  test('is what was published last when no worker answers', async () => {
    const taskId = await start('upsert', { index, items: [item] }, 'nobody');
    expect(await getTracker(world.client, taskId)).toMatchObject({ id: taskId, status: 'pending', attempts: 0 });
    await world.client.workflow.getHandle(taskId).terminate();
  });
});

describe('canceling', () => {
  test('returns when the task has stopped', async () => {
    const taskId = await waiting();
    await until(taskId, 'waiting');
    expect(await cancelTask(world.client, taskId)).toMatchObject({ status: 'canceled' });
    expect((await world.client.workflow.getHandle(taskId).describe()).status.name).toBe('CANCELLED');
  });

  test('leaves an ended task as it is', async () => {
    const taskId = await start('upsert', { index, items: [item] });
    const done = await waitForTask(world.client, taskId, 90_000);
    expect(await cancelTask(world.client, taskId)).toEqual(done);
  });

  test('gives up waiting where no worker runs', async () => {
    const taskId = await start('upsert', { index, items: [item] }, 'nobody');
    expect(await cancelTask(world.client, taskId, 'x', { waitMs: 300 })).toMatchObject({ status: 'pending' });
    await world.client.workflow.getHandle(taskId).terminate();
  });
});

describe('restarting', () => {
  test('ends the wait of a running task', async () => {
    const victim = (await makeIndex(world.db)).name;
    const taskId = await start('delete-index', { index: victim, after: '1h' });
    await until(taskId, 'waiting');
    await restartTask(world.client, taskId);
    expect(await waitForTask(world.client, taskId, 90_000)).toMatchObject({ status: 'done', attempts: 1 });
  });

  test('runs a failed task again and continues its counts', async () => {
    const name = uniqueName('later');
    const taskId = await start('upsert', { index: name, items: [item] });
    expect(await waitForTask(world.client, taskId, 90_000)).toMatchObject({ status: 'failed', attempts: 1 });
    await makeIndex(world.db, { name });
    const restarted = await restartTask(world.client, taskId);
    expect(restarted).toMatchObject({ status: 'pending', attempts: 1 });
    const done = await waitForTask(world.client, taskId, 90_000);
    expect(done).toMatchObject({ status: 'done', attempts: 2, errors: [{ type: 'IndexNotFound', attempt: 1 }] });
    expect(done.createTime).toBe(restarted.createTime);
    const described = await world.client.workflow.getHandle(taskId).describe();
    expect(described.memo?.inputHash).toBe('h');
    const again = { type: 'upsert', taskId, input: { index: name }, taskQueue: 'reembed', inputHash: 'h' } as const;
    expect(await startTask(world.client, again)).toEqual({ existing: true });
  });

  test('runs done and canceled tasks again', async () => {
    const done = await start('upsert', { index, items: [item] });
    await waitForTask(world.client, done, 90_000);
    await restartTask(world.client, done);
    expect(await waitForTask(world.client, done, 90_000)).toMatchObject({ status: 'done', attempts: 2 });
    const canceled = await waiting();
    await until(canceled, 'waiting');
    await cancelTask(world.client, canceled);
    expect(await restartTask(world.client, canceled)).toMatchObject({ status: 'pending' });
    expect(await until(canceled, 'waiting')).toMatchObject({ attempts: 2 });
    await cancelTask(world.client, canceled);
  });

  test('needs force for exhausted and ignored tasks', async () => {
    const exhausted = await start('upsert', {
      index: external,
      items: [{ id: 'b', uri: 'http://127.0.0.1:9/', version: 1 }],
      ignoreFailedItems: false,
      maxAttempts: 1,
    });
    expect(await waitForTask(world.client, exhausted, 90_000)).toMatchObject({ status: 'exhausted' });
    const ignored = await waiting();
    await until(ignored, 'waiting');
    expect(await ignoreTask(world.client, ignored, 'not now')).toMatchObject({ status: 'ignored', detail: 'not now' });
    for (const taskId of [exhausted, ignored]) {
      await expect(restartTask(world.client, taskId)).rejects.toMatchObject({ type: 'TaskClosed' });
      expect(await restartTask(world.client, taskId, { force: true })).toMatchObject({ status: 'pending' });
    }
    expect(await waitForTask(world.client, exhausted, 90_000)).toMatchObject({ status: 'exhausted', attempts: 2 });
    await cancelTask(world.client, ignored);
  });

  test('makes only one new run of ten concurrent restarts', async () => {
    const taskId = await start('upsert', { index, items: [item] });
    await waitForTask(world.client, taskId, 90_000);
    await Promise.all(Array.from({ length: 10 }, () => restartTask(world.client, taskId)));
    expect(await waitForTask(world.client, taskId, 90_000)).toMatchObject({ status: 'done', attempts: 2 });
  });

  test('runs a terminated task again', async () => {
    const taskId = await waiting();
    await until(taskId, 'waiting');
    await world.client.workflow.getHandle(taskId).terminate();
    await restartTask(world.client, taskId);
    expect(await until(taskId, 'waiting')).toMatchObject({ attempts: 2 });
    await cancelTask(world.client, taskId);
  });
});

describe('steering', () => {
  test('pauses, throttles and resumes a reindex', async () => {
    const source = (await makeIndex(world.db)).name;
    const items = Array.from({ length: 50 }, (_, at) => ({ id: `o${at}`, payload: `text ${at}` }));
    await waitForTask(world.client, await start('upsert', { index: source, items }), 20_000);
    const taskId = await start('reindex', {
      source,
      dest: uniqueName('dest'),
      destModel: { provider: 'hash', name: 'hash-v1', dimensions: 4 },
      batchSize: 1,
      ratePerSecond: 1,
    });
    await until(taskId, 'processing');
    expect(await pauseTask(world.client, taskId)).toMatchObject({ status: 'paused' });
    expect(await throttleTask(world.client, taskId, null)).toMatchObject({ status: 'paused' });
    expect(await resumeTask(world.client, taskId)).toMatchObject({ status: 'processing' });
    expect(await waitForTask(world.client, taskId, 90_000)).toMatchObject({ status: 'done' });
  });

  test('is TaskClosed for an ended task, and throttles only a reindex', async () => {
    const taskId = await start('upsert', { index, items: [item] });
    await waitForTask(world.client, taskId, 90_000);
    for (const steer of [pauseTask, resumeTask, ignoreTask]) {
      await expect(steer(world.client, taskId)).rejects.toMatchObject({ type: 'TaskClosed' });
    }
    await expect(throttleTask(world.client, taskId, 5)).rejects.toMatchObject({ type: 'InvalidInput' });
  });
});

describe('waiting', () => {
  test('returns the current task after the timeout, or when the caller leaves', async () => {
    const taskId = await waiting();
    await until(taskId, 'waiting');
    expect(await waitForTask(world.client, taskId, 200)).toMatchObject({ status: 'waiting' });
    expect(await waitForTask(world.client, taskId, 60_000, AbortSignal.timeout(200))).toMatchObject({
      status: 'waiting',
    });
    await cancelTask(world.client, taskId);
  });

  test('shows each change once and ends with the task, as a watch', async () => {
    const victim = (await makeIndex(world.db)).name;
    const taskId = await start('delete-index', { index: victim, after: '2s' });
    const seen: Tracker[] = [];
    for await (const tracker of watchTask(world.client, taskId)) seen.push(tracker);
    expect(seen.at(-1)).toMatchObject({ status: 'done' });
    expect(seen.map(({ status }) => status)).toContain('waiting');
    expect(new Set(seen.map((tracker) => JSON.stringify(tracker))).size).toBe(seen.length);
  });
});
