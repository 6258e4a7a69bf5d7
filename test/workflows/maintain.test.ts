import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { transaction } from '../../src/store/database.ts';
import { indexInfo } from '../../src/store/index-info.ts';
import { findIndex, findIndexByNo, markDeleting } from '../../src/store/indexes.ts';
import { writeLive } from '../../src/store/protocol/write.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { givenIndex, type Rig, startRig, startTemporal } from '../support/rig.ts';

describe('maintenance', () => {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let rig: Rig;

  beforeAll(async () => {
    [environment, database] = await Promise.all([startTemporal('time-skipping'), openPostgresDatabase()]);
    rig = await startRig({ environment, db: database.db, settings: { vectorIndexAfterParts: 3 } });
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await database?.close();
  });

  test('removes old tombstones, builds HNSW indexes that are due, and refuses what is older than it remembers', async () => {
    const { db } = database;
    const index = await givenIndex(db, 'a');
    for (const id of ['x', 'y', 'z'])
      await rig.run('upsert', { index: 'a', items: [{ id, payload: `text of ${id}` }] });
    const { version } = await rig.run('delete', { index: 'a', ids: ['gone'] });
    expect(await indexInfo(db, index)).toMatchObject({ tombstones: 1, vectorIndexReady: false });
    const report = await environment.client.workflow.execute('maintain', {
      workflowId: 'maintenance',
      taskQueue: rig.taskQueue,
    });
    expect(report).toMatchObject({ tombstones: 1, vectorIndexes: 1 });
    expect(await indexInfo(db, index)).toMatchObject({ tombstones: 0, vectorIndexReady: true });
    expect(await findIndex(db, 'a')).toMatchObject({ removedVersion: version });
    const late = { kind: 'tombstone', id: 'gone', version: (version ?? 0) - 1 } as const;
    const outcome = await writeLive(db, { target: 'a', indexNo: index.no, objects: [late], onReindex: 'forward' });
    expect(outcome).toMatchObject({ kind: 'written', written: [], beyondRetention: ['gone'] });
  });

  test('removes the tables of an index whose deletion was broken off', async () => {
    const { db } = database;
    const left = await givenIndex(db, 'left');
    await transaction(db, (trx) => markDeleting(trx, 'left', { force: false }));
    const report = await environment.client.workflow.execute('maintain', {
      workflowId: 'maintenance',
      taskQueue: rig.taskQueue,
    });
    expect(report).toMatchObject({ indexes: 1 });
    expect(await findIndexByNo(db, left.no)).toBeUndefined();
  });
});
