import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { transaction } from '../../src/store/database.ts';
import { indexInfo } from '../../src/store/index-info.ts';
import { findIndex, findIndexByNo, markDeleting } from '../../src/store/indexes.ts';
import { writeLive } from '../../src/store/protocol/live-write.ts';
import { releaseLock } from '../../src/store/protocol/lock-pair.ts';
import { isVectorIndexReady } from '../../src/store/vector-index.ts';
import { content, createIndex, lockIn, writeIn } from '../store/builders.ts';
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

  test('removes old tombstones, builds due HNSW indexes, and rejects writes older than these tombstones', async () => {
    const { db } = database;
    const index = await createIndex(db, { name: 'a' });
    await writeIn(db, index, [content('x', 1), content('y', 1), content('z', 1)]);
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

  test('removes the tables of an index whose deletion was interrupted', async () => {
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

  test('leaves an index without its HNSW index while a reindex is building it', async () => {
    const { db } = database;
    const [source, dest] = [await createIndex(db), await createIndex(db)];
    await writeIn(db, dest, [content('x', 1), content('y', 1), content('z', 1)]);
    const { lock } = await lockIn(db, source.name, dest.name);
    const run = () =>
      environment.client.workflow.execute('maintain', { workflowId: 'maintenance', taskQueue: rig.taskQueue });
    expect(await run()).toMatchObject({ vectorIndexes: 0 });
    await environment.client.workflow.execute('buildIndex', {
      workflowId: 'by-hand',
      taskQueue: rig.taskQueue,
      args: [dest.no],
    });
    expect(await isVectorIndexReady(db, dest)).toBe(false);
    await releaseLock(db, lock);
    expect(await run()).toMatchObject({ vectorIndexes: 1 });
    expect(await isVectorIndexReady(db, dest)).toBe(true);
  });

  test.each([1, 8])(
    'an index that grows by writes of %i items gets its HNSW index without maintenance',
    async (size) => {
      const { db } = database;
      const index = await givenIndex(db, `small-${size}`);
      for (let from = 0; from < 8; from += size) {
        const items = Array.from({ length: size }, (_, at) => ({ id: `o${from + at}`, payload: `text ${from + at}` }));
        await rig.run('upsert', { index: index.name, items });
      }
      await vi.waitUntil(() => isVectorIndexReady(db, index), { timeout: 90_000, interval: 200 });
    },
  );
});
