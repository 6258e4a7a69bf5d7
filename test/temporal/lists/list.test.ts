import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TASK_STATUSES } from '../../../src/contract/status.ts';
import {
  countTasks,
  eachTask,
  getTracker,
  listTasks,
  restartTask,
  startTask,
  waitForTask,
} from '../../../src/temporal/index.ts';
import { tasksQuery } from '../../../src/temporal/lists/query.ts';
import { eventually, makeIndex, openWorld, uniqueName, type World } from '../support.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
  await world.startWorkers();
});
afterAll(() => world?.close());

async function startSome(index: string, count: number, taskQueue = world.taskQueue): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, at) => uniqueName(`t${at}`));
  const input = { index, items: [{ id: 'a', payload: 'x' }] };
  await Promise.all(
    ids.map((taskId) => startTask(world.client, { type: 'upsert', taskId, input, taskQueue, inputHash: 'h' })),
  );
  return ids;
}

describe('the list of tasks', () => {
  test('returns all pages without repeats, by cursor and by offset', async () => {
    const index = (await makeIndex(world.db)).name;
    const ids = await startSome(index, 25);
    await Promise.all(ids.map((id) => waitForTask(world.client, id, 90_000)));
    await eventually(
      () => listTasks(world.client, { index, statuses: ['done'] }),
      ({ total }) => total === 25,
    );
    const seen: string[] = [];
    for (let cursor: string | null = null; ; ) {
      const page = await listTasks(world.client, { index, limit: 7, cursor });
      expect(page.total).toBe(25);
      seen.push(...page.tasks.map(({ id }) => id));
      cursor = page.cursor;
      if (cursor === null) break;
    }
    expect(seen).toHaveLength(25);
    expect(new Set(seen)).toEqual(new Set(ids));
    const walked: string[] = [];
    for await (const { id } of eachTask(world.client, { index, limit: 7 })) walked.push(id);
    expect(walked).toEqual(seen);
    const { tasks } = await listTasks(world.client, { index, offset: 20, limit: 10 });
    expect(tasks.map(({ id }) => id)).toEqual(seen.slice(20));
    expect(await listTasks(world.client, { index, offset: 30 })).toMatchObject({ tasks: [], total: 25, cursor: null });
    await expect(listTasks(world.client, { cursor: 'bm90IGEgdG9rZW4' })).rejects.toMatchObject({
      type: 'InvalidInput',
    });
    const { cursor } = await listTasks(world.client, { index, limit: 7 });
    await expect(listTasks(world.client, { cursor })).rejects.toMatchObject({ type: 'InvalidInput' });
    await expect(listTasks(world.client, { cursor: '%%' })).rejects.toMatchObject({ type: 'InvalidInput' });
  });

  test('shows a restarted task once, under its current status', async () => {
    const index = uniqueName('later');
    const [taskId = ''] = await startSome(index, 1);
    await waitForTask(world.client, taskId, 90_000);
    const failed = () => listTasks(world.client, { index, statuses: ['failed'] });
    expect(await eventually(failed, ({ total }) => total === 1)).toMatchObject({
      tasks: [{ id: taskId, attempts: 1 }],
    });
    await makeIndex(world.db, { name: index });
    for (const attempts of [2, 3]) {
      await restartTask(world.client, taskId);
      await waitForTask(world.client, taskId, 90_000);
      const list = () => listTasks(world.client, { index });
      const page = await eventually(list, ({ tasks }) => tasks.some((row) => row.attempts === attempts));
      expect(page).toMatchObject({ total: 1, tasks: [{ id: taskId, status: 'done', attempts }] });
    }
    expect((await failed()).total).toBe(0);
    expect((await countTasks(world.client, { index })).byStatus).toMatchObject({ done: 1, failed: 0 });
  });

  test('finds tasks that are done but could not write some items', async () => {
    const index = (await makeIndex(world.db)).name;
    const [whole = ''] = await startSome(index, 1);
    const partial = uniqueName('partial');
    const input = {
      index,
      items: [
        { id: 'a', payload: 'x' },
        { id: 'b', uri: 'gopher://none' },
      ],
    };
    await startTask(world.client, {
      type: 'upsert',
      taskId: partial,
      input,
      taskQueue: world.taskQueue,
      inputHash: 'h',
    });
    for (const id of [whole, partial]) await waitForTask(world.client, id, 90_000);
    const idsOf = async (hasFailedItems: boolean) =>
      (await listTasks(world.client, { index, statuses: ['done'], hasFailedItems })).tasks.map(({ id }) => id);
    await eventually(
      () => idsOf(true),
      (ids) => ids.includes(partial),
    );
    expect([await idsOf(true), await idsOf(false)]).toEqual([[partial], [whole]]);
    expect((await countTasks(world.client, { index, hasFailedItems: true })).byStatus.done).toBe(1);
  });

  test('agrees with the counts and the trackers about terminated and timed-out tasks', async () => {
    const index = uniqueName('nobody');
    const [terminated = ''] = await startSome(index, 1, 'nobody');
    const [pending = ''] = await startSome(index, 1, 'nobody');
    await world.client.workflow.getHandle(terminated).terminate('by hand');
    const counted = await eventually(
      () => countTasks(world.client, { index }),
      ({ total, byStatus }) => total === 2 && byStatus.canceled === 1,
    );
    expect(counted).toMatchObject({ total: 2, byStatus: { pending: 1, canceled: 1, processing: 0 } });
    const { tasks } = await listTasks(world.client, { index, statuses: ['canceled'] });
    expect(tasks).toMatchObject([{ id: terminated, status: 'canceled', detail: 'terminated' }]);
    expect((await listTasks(world.client, { index, statuses: ['pending'] })).tasks).toMatchObject([{ id: pending }]);
    expect(await getTracker(world.client, terminated)).toMatchObject({ status: 'canceled' });
    await world.client.workflow.getHandle(pending).terminate();
  });

  test('has every task under exactly one status', async () => {
    const { total } = await listTasks(world.client);
    const lists = await Promise.all(
      TASK_STATUSES.map((status) => listTasks(world.client, { statuses: [status], limit: 1_000 })),
    );
    expect(lists.reduce((sum, list) => sum + list.total, 0)).toBe(total);
    lists.forEach(({ tasks }, at) => {
      for (const { status } of tasks) expect(status).toBe(TASK_STATUSES[at]);
    });
  });

  test('omits slices and workflows of other programs', async () => {
    await world.client.workflow.start('upsertish', { workflowId: uniqueName('foreign'), taskQueue: 'nobody' });
    expect(tasksQuery({})).not.toContain('reindexSlice');
    expect(tasksQuery({ types: ['reindex-slice'] })).toContain('reindexSlice');
    const { tasks } = await listTasks(world.client, { limit: 1_000 });
    expect(tasks.filter(({ id }) => id.startsWith('foreign'))).toEqual([]);
  });

  test('does not let a filter value add conditions', async () => {
    for (const index of [`x' OR WorkflowType != 'x`, `x\\' OR WorkflowType != 'x`, `x"`, `x\\`]) {
      await expect(listTasks(world.client, { index })).rejects.toMatchObject({ type: 'InvalidInput' });
      expect(await listTasks(world.client, { parentId: index })).toMatchObject({ tasks: [], total: 0 });
    }
  });

  test('finds the children of a reindex', async () => {
    const source = (await makeIndex(world.db)).name;
    const taskId = uniqueName('reindex');
    const input = {
      source,
      dest: uniqueName('dest'),
      destModel: { provider: 'hash', name: 'hash-v1', dimensions: 4 },
    } as const;
    await startTask(world.client, { type: 'reindex', taskId, input, taskQueue: world.taskQueue, inputHash: 'h' });
    expect(await waitForTask(world.client, taskId, 90_000)).toMatchObject({ status: 'done' });
    const children = () => listTasks(world.client, { parentId: taskId });
    const { tasks } = await eventually(children, (page) => page.total > 0);
    expect(tasks[0]).toMatchObject({ type: 'reindex-slice', parentId: taskId, status: 'done' });
  });
});

test('an unavailable server is TemporalUnavailable', async () => {
  const connection = Connection.lazy({ address: '127.0.0.1:9' });
  const client = new Client({ connection });
  await expect(getTracker(client, 'x')).rejects.toMatchObject({ type: 'TemporalUnavailable' });
  await connection.close();
});
