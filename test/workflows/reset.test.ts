import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listAliases } from '../../src/store/aliases.ts';
import { findIndex, resolveIndex } from '../../src/store/indexes.ts';
import { getObject } from '../../src/store/objects.ts';
import { listLocks } from '../../src/store/protocol/locks.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../support/rig.ts';

const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;

describe('a task that an operator resets to an earlier event', () => {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let rig: Rig;

  beforeAll(async () => {
    [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
    rig = await startRig({ environment, db: database.db });
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await database?.close();
  });

  /** Resets the last run to the end of one of its workflow tasks: 0 is the first. */
  async function reset({ workflowId }: WorkflowHandle, at: number): Promise<WorkflowHandle> {
    const { events } = await rig.client.workflow.getHandle(workflowId).fetchHistory();
    const ends = (events ?? []).filter(({ workflowTaskCompletedEventAttributes: end }) => end);
    const { runId } = await rig.client.workflow.getHandle(workflowId).describe();
    await rig.client.workflowService.resetWorkflowExecution({
      namespace: environment.namespace ?? 'default',
      workflowExecution: { workflowId, runId },
      reason: 'a test',
      workflowTaskFinishEventId: ends.at(at)?.eventId,
      requestId: randomUUID(),
    });
    return rig.client.workflow.getHandle(workflowId);
  }
  const contentOf = async (name: string, id: string) =>
    (await getObject(database.db, await resolveIndex(database.db, name), id)).payload;

  test.each([0, -1])('writes nothing over what was written since, as the same task (workflow task %s)', async (at) => {
    const name = `written${at}`;
    await givenIndex(database.db, name);
    const items = ['a', 'b'].map((id) => ({ id, payload: 'monday' }));
    const first = await rig.start('upsert', { index: name, items });
    const { version, data } = await endOf(first);
    await rig.run('upsert', { index: name, items: [{ id: 'a', payload: 'tuesday' }] });
    await rig.run('delete', { index: name, ids: ['b'] });
    const again = await endOf(await reset(first, at));
    expect(again).toMatchObject({ status: 'done', version, data: { failed: 0, written: data.written } });
    expect(await contentOf(name, 'a')).toBe('tuesday');
    await expect(contentOf(name, 'b')).rejects.toMatchObject({ type: 'ObjectNotFound' });
  });

  test('deletes no index that has the name of the one it deleted', async () => {
    await givenIndex(database.db, 'gone');
    const first = await rig.start('delete-index', { index: 'gone' });
    expect(await endOf(first)).toMatchObject({ status: 'done' });
    await givenIndex(database.db, 'gone');
    expect(await endOf(await reset(first, 0))).toMatchObject({ status: 'refused', errors: [{ type: 'IndexDeleted' }] });
    expect(await findIndex(database.db, 'gone')).toMatchObject({ state: 'active' });
  });

  test('takes its lock again as a reindex that had begun, and completes it', async () => {
    await givenIndex(database.db, 'begun', { alias: 'b' });
    const items = Array.from({ length: 60 }, (_, at) => ({ id: `k${at}`, payload: `text ${at}` }));
    await rig.run('upsert', { index: 'b', items });
    const slow = { ratePerSecond: 0.5, batchSize: 1 };
    const first = await rig.start('reindex', { source: 'b', dest: 'begun-2', destModel, ...slow });
    await trackerWhen(first, ({ children }) => children.processing === 1);
    const again = await reset(first, 0);
    await again.signal('throttle', null);
    expect(await endOf(again)).toMatchObject({ status: 'done', data: { verified: { source: 60, dest: 60 } } });
    expect(await listAliases(database.db)).toContainEqual({ alias: 'b', index: 'begun-2' });
    expect(await listLocks(database.db)).toEqual([]);
  });

  test('changes nothing as a reindex that has switched its alias', async () => {
    await givenIndex(database.db, 'switched', { alias: 's' });
    await rig.run('upsert', { index: 's', items: [{ id: 'a', payload: 'text' }] });
    const first = await rig.start('reindex', { source: 's', dest: 'switched-2', destModel });
    expect(await endOf(first)).toMatchObject({ status: 'done' });
    for (const at of [0, 2, -2]) {
      const ended = await endOf(await reset(first, at));
      expect(['done', 'failed']).toContain(ended.status);
      expect(await listAliases(database.db)).toContainEqual({ alias: 's', index: 'switched-2' });
      expect(await listLocks(database.db)).toEqual([]);
    }
  });
});
