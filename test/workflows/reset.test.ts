import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { listAliases } from '../../src/store/aliases.ts';
import { findIndex, resolveIndex } from '../../src/store/indexes.ts';
import { getObject } from '../../src/store/objects.ts';
import { listLocks } from '../../src/store/protocol/locks.ts';
import { endOf, givenIndex, trackerWhen } from '../support/rig.ts';
import { rigOfFile } from '../support/rig-of-file.ts';

const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;

describe('a task that an operator resets to an earlier event', () => {
  const given = rigOfFile('dev');

  /** Resets the last run to the end of one of its workflow tasks: 0 is the first. */
  async function reset({ workflowId }: WorkflowHandle, at: number): Promise<WorkflowHandle> {
    const { events } = await given.rig.client.workflow.getHandle(workflowId).fetchHistory();
    const ends = (events ?? []).filter(({ workflowTaskCompletedEventAttributes: end }) => end);
    const { runId } = await given.rig.client.workflow.getHandle(workflowId).describe();
    await given.rig.client.workflowService.resetWorkflowExecution({
      namespace: given.rig.environment.namespace ?? 'default',
      workflowExecution: { workflowId, runId },
      reason: 'a test',
      workflowTaskFinishEventId: ends.at(at)?.eventId,
      requestId: randomUUID(),
    });
    return given.rig.client.workflow.getHandle(workflowId);
  }
  const contentOf = async (name: string, id: string) =>
    (await getObject(given.rig.db, await resolveIndex(given.rig.db, name), id)).payload;

  test.each([0, -1])('writes nothing over what was written since, as the same task (workflow task %s)', async (at) => {
    const name = `written${at}`;
    await givenIndex(given.rig.db, name);
    const items = ['a', 'b'].map((id) => ({ id, payload: 'monday' }));
    const first = await given.rig.start('upsert', { index: name, items });
    const { version, data } = await endOf(first);
    await given.rig.run('upsert', { index: name, items: [{ id: 'a', payload: 'tuesday' }] });
    await given.rig.run('delete', { index: name, ids: ['b'] });
    const again = await endOf(await reset(first, at));
    expect(again).toMatchObject({ status: 'done', version, data: { failed: 0, written: data.written } });
    expect(await contentOf(name, 'a')).toBe('tuesday');
    await expect(contentOf(name, 'b')).rejects.toMatchObject({ type: 'ObjectNotFound' });
  });

  test('deletes no index that has the name of the one it deleted', async () => {
    await givenIndex(given.rig.db, 'gone');
    const first = await given.rig.start('delete-index', { index: 'gone' });
    expect(await endOf(first)).toMatchObject({ status: 'done' });
    await givenIndex(given.rig.db, 'gone');
    expect(await endOf(await reset(first, 0))).toMatchObject({ status: 'refused', errors: [{ type: 'IndexDeleted' }] });
    expect(await findIndex(given.rig.db, 'gone')).toMatchObject({ state: 'active' });
  });

  test('takes its lock again as a reindex that had begun, and completes it', async () => {
    await givenIndex(given.rig.db, 'begun', { alias: 'b' });
    const items = Array.from({ length: 60 }, (_, at) => ({ id: `k${at}`, payload: `text ${at}` }));
    await given.rig.run('upsert', { index: 'b', items });
    const slow = { ratePerSecond: 0.5, batchSize: 1 };
    const first = await given.rig.start('reindex', { source: 'b', dest: 'begun-2', destModel, ...slow });
    await trackerWhen(first, ({ children }) => children.processing === 1);
    const again = await reset(first, 0);
    await again.signal('throttle', null);
    expect(await endOf(again)).toMatchObject({ status: 'done', data: { verified: { source: 60, dest: 60 } } });
    expect(await listAliases(given.rig.db)).toContainEqual({ alias: 'b', index: 'begun-2' });
    expect(await listLocks(given.rig.db)).toEqual([]);
  });

  test('changes nothing as a reindex that has switched its alias', async () => {
    await givenIndex(given.rig.db, 'switched', { alias: 's' });
    await given.rig.run('upsert', { index: 's', items: [{ id: 'a', payload: 'text' }] });
    const first = await given.rig.start('reindex', { source: 's', dest: 'switched-2', destModel });
    expect(await endOf(first)).toMatchObject({ status: 'done' });
    for (const at of [0, 2, -2]) {
      const ended = await endOf(await reset(first, at));
      expect(['done', 'failed']).toContain(ended.status);
      expect(await listAliases(given.rig.db)).toContainEqual({ alias: 's', index: 'switched-2' });
      expect(await listLocks(given.rig.db)).toEqual([]);
    }
  });
});
