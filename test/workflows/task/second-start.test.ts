import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createKnownTasks } from '../../../src/runtime/known-tasks.ts';
import { findIndex } from '../../../src/store/indexes.ts';
import { getObject } from '../../../src/store/objects.ts';
import { countStaged, listFailed } from '../../../src/store/staging.ts';
import { restartTask } from '../../../src/temporal/index.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal } from '../../support/rig.ts';
import { createSlowModel } from '../support/slow-model.ts';

describe('a workflow that is started by hand a second time with the same id', () => {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let rig: Rig;
  const model = createSlowModel(32);

  beforeAll(async () => {
    [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
    rig = await startRig({ environment, db: database.db, embedder: model.embedder });
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await database?.close();
  });

  const failedOf = async (taskId: string) =>
    (await listFailed(database.db, taskId, { after: null, limit: 10 })).map(({ objectId }) => objectId);
  async function payloadOf(name: string, id: string) {
    const index = await findIndex(database.db, name);
    if (!index) throw new Error(`there is no ${name}`);
    return (await getObject(database.db, index, id)).payload;
  }

  const monday = [
    { id: 'a', payload: 'monday' },
    { id: 'bad', payload: ' ' },
  ];
  /** Ways in which the first start may end. */
  const ends: Record<string, (name: string, taskId: string) => Promise<void>> = {
    'with an item that failed': async (index, taskId) => {
      expect(await rig.run('upsert', { index, items: monday }, taskId)).toMatchObject({ status: 'done' });
    },
    'as exhausted': async (index, taskId) => {
      const input = { index, items: monday, ignoreFailedItems: false, maxAttempts: 1 };
      expect(await rig.run('upsert', input, taskId)).toMatchObject({ status: 'exhausted' });
    },
    'by a cancel': async (index, taskId) => {
      const held = model.holdBack(/monday/);
      const handle = await rig.start('upsert', { index, items: monday }, taskId);
      await held.asked;
      await handle.signal('cancel');
      expect(await endOf(handle)).toMatchObject({ status: 'canceled' });
      held.release();
    },
    'by Temporal': async (index, taskId) => {
      const held = model.holdBack(/monday/);
      const handle = await rig.start('upsert', { index, items: monday }, taskId);
      await held.asked;
      await handle.terminate('from outside');
      held.release();
    },
  };

  test.each(Object.keys(ends))('writes its own items after the first one ended %s', async (end) => {
    const name = `index-${Object.keys(ends).indexOf(end)}`;
    const taskId = `nightly-${name}`;
    await givenIndex(database.db, name);
    await ends[end]?.(name, taskId);
    await rig.run('upsert', { index: name, items: [{ id: 'a', payload: 'tuesday' }] });
    const wednesday = [
      { id: 'a', payload: 'wednesday' },
      { id: 'c', payload: 'new' },
    ];
    const second = await rig.run('upsert', { index: name, items: wednesday }, taskId);
    expect(second).toMatchObject({ status: 'done', data: { written: 2, failed: 0 } });
    expect([await payloadOf(name, 'a'), await payloadOf(name, 'c')]).toEqual(['wednesday', 'new']);
    expect(await failedOf(taskId)).toEqual([]);
  });

  test('leaves items of the first start that maintenance may drop, and its own items that it may not', async () => {
    await givenIndex(database.db, 'left');
    const { isStagingUsed, isTaskKnown } = createKnownTasks(rig.client);
    const stagings: string[] = [];
    for (const payload of ['', ' ']) {
      const handle = await rig.start('upsert', { index: 'left', items: [{ id: 'bad', payload }] }, 'left');
      await endOf(handle);
      stagings.push(`left/${(await handle.describe()).runId}`);
      expect(await countStaged(database.db, stagings.at(-1) as string)).toBe(1);
    }
    expect(await Promise.all(stagings.map((staging) => isStagingUsed('left', staging)))).toEqual([false, true]);
    expect(await isTaskKnown('left')).toBe(true);
    expect(await isStagingUsed('never', 'never/1')).toBe(false);
  });

  test('differs from a restart, which runs the same items with the same version again', async () => {
    await givenIndex(database.db, 'again');
    const input = { index: 'again', items: monday, ignoreFailedItems: false, maxAttempts: 1 };
    const first = await rig.run('upsert', input, 'again');
    expect(first).toMatchObject({ status: 'exhausted', data: { written: 1, failed: 1 } });
    await rig.run('upsert', { index: 'again', items: [{ id: 'a', payload: 'tuesday' }] });
    await restartTask(rig.client, 'again', { force: true });
    const second = await endOf(rig.client.workflow.getHandle('again'));
    expect(second).toMatchObject({ version: first.version, attempts: 2, data: { stale: 1, failed: 1 } });
    expect(await payloadOf('again', 'a')).toBe('tuesday');
    expect(await failedOf('again')).toEqual(['bad']);
  });
});
