import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReindexInput } from '../../../src/contract/workflow-inputs.ts';
import { findIndex } from '../../../src/store/indexes.ts';
import { tablesOf } from '../../../src/store/partitions.ts';
import { isVectorIndexReady } from '../../../src/store/vector-index.ts';
import { liveIds, uniqueName } from '../../store/builders.ts';
import { openTransaction } from '../../store/concurrency.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../../support/rig.ts';

const OBJECTS = 400;
const ids = Array.from({ length: OBJECTS }, (_, at) => `k${String(at).padStart(3, '0')}`);
const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;

let environment: TestWorkflowEnvironment;
let database: TestDatabase;
let rig: Rig;
beforeAll(async () => {
  [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
  rig = await startRig({ environment, db: database.db, settings: { minPartsToChoose: OBJECTS } });
});
afterAll(async () => {
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
});

async function givenSource(count = OBJECTS): Promise<string> {
  const source = uniqueName('source');
  await givenIndex(database.db, source, { alias: `${source}-alias` });
  const items = ids.slice(0, count).map((id, at) => ({ id, payload: `text ${at}` }));
  expect(await rig.run('upsert', { index: source, items })).toMatchObject({ status: 'done' });
  return `${source}-alias`;
}

async function started(input: Partial<ReindexInput>, count = OBJECTS) {
  const dest = uniqueName('dest');
  const handle = await rig.start('reindex', { source: await givenSource(count), dest, destModel, ...input });
  return { handle, dest };
}

/** The copies and builds of a reindex, in the order in which they began. */
async function stepsOf(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap((event) => {
    if (event.startChildWorkflowExecutionInitiatedEventAttributes) return ['slice'];
    const { name } = event.activityTaskScheduledEventAttributes?.activityType ?? {};
    return name === 'buildVectorIndex' || name === 'chooseIndexBuild' ? [name] : [];
  });
}

/** The index serves every object, and its HNSW index finds what a scan finds. */
async function expectComplete(handle: WorkflowHandle, dest: string, count = OBJECTS) {
  const tracker = await endOf(handle);
  expect(tracker).toMatchObject({
    ...{ status: 'done', attempts: 1, errors: [], progress: { done: count, total: count } },
    data: { copied: count, failed: 0, verified: { source: count, dest: count, failed: 0, recall: 1 } },
  });
  const index = await findIndex(database.db, dest);
  expect(index && (await isVectorIndexReady(database.db, index))).toBe(true);
  expect((await liveIds(database.db, index?.no ?? 0)).sort()).toEqual(ids.slice(0, count));
  return tracker;
}

describe('the HNSW index of a reindex', () => {
  test('is built after the copy, if that is asked for', async () => {
    const { handle, dest } = await started({ indexBuild: 'after' });
    const { data } = await expectComplete(handle, dest);
    expect(data.indexStrategy).toMatchObject({ asked: 'after', chosen: 'after', why: 'as asked' });
    expect(await stepsOf(handle)).toEqual(['slice', 'buildVectorIndex']);
  });

  test('is there before the copy, if it is to grow during the copy', async () => {
    const { handle, dest } = await started({ indexBuild: 'during' });
    const { data } = await expectComplete(handle, dest);
    expect(data.indexStrategy).toMatchObject({ asked: 'during', chosen: 'during', why: 'as asked' });
    expect((await stepsOf(handle))[0]).toBe('buildVectorIndex');
  });

  test('is built on a half and grows with the rest, if it is split', async () => {
    const { handle, dest } = await started({ indexBuild: 'split' });
    const { data } = await expectComplete(handle, dest);
    expect(data.indexStrategy).toMatchObject({ asked: 'split', chosen: 'split', share: 0.5, warning: null });
    const steps = ['slice', 'chooseIndexBuild', 'slice', 'buildVectorIndex', 'slice', 'buildVectorIndex'];
    expect(await stepsOf(handle)).toEqual(steps);
  });

  test('grows with a slow copy, by the measured speed', async () => {
    const { handle, dest } = await started({ indexBuild: 'auto', ratePerSecond: 40, batchSize: 20 });
    const { data } = await expectComplete(handle, dest);
    expect(data.indexStrategy).toMatchObject({
      ...{ asked: 'auto', chosen: 'during', why: expect.stringContaining('fit into the time of the copy') },
      forecast: { during: expect.any(Number), after: expect.any(Number), split: expect.any(Number) },
    });
    const steps = ['slice', 'chooseIndexBuild', 'buildVectorIndex', 'slice', 'buildVectorIndex'];
    expect(await stepsOf(handle)).toEqual(steps);
  });

  test('is built after the copy of a small source, and nothing is measured', async () => {
    const { handle, dest } = await started({ indexBuild: 'auto' }, 100);
    const { data } = await expectComplete(handle, dest, 100);
    expect(data.indexStrategy).toMatchObject({ chosen: 'after', why: expect.stringContaining('fewer than') });
    expect(await stepsOf(handle)).toEqual(['slice', 'buildVectorIndex']);
  });

  test('is complete also if the source has a single object, which leaves nothing to split', async () => {
    const { handle, dest } = await started({ indexBuild: 'split' }, 1);
    const { data } = await expectComplete(handle, dest, 1);
    expect(data.indexStrategy).toMatchObject({ asked: 'split', chosen: 'after' });
  });
});

test('a split that is throttled and paused before its point is complete after it is resumed', async () => {
  const { handle, dest } = await started({ indexBuild: 'split', ratePerSecond: 20, batchSize: 5 });
  await trackerWhen(handle, ({ data }) => data.phase === 'copy');
  await handle.signal('throttle', 100);
  await handle.signal('pause');
  await trackerWhen(handle, ({ status }) => status === 'paused');
  await handle.signal('resume');
  await expectComplete(handle, dest);
});

test('a source that shrinks while the index is built on a half is copied to its end', async () => {
  const { db } = database;
  const dest = uniqueName('dest');
  const { no } = await givenIndex(db, dest, { config: { model: destModel } });
  const source = await givenSource();
  const holds = await openTransaction(db, (trx) =>
    sql`lock table ${tablesOf(no).parts} in share update exclusive mode`.execute(trx),
  );
  const handle = await rig.start('reindex', { source, dest, indexBuild: 'split' });
  await trackerWhen(handle, ({ data }) => data.phase === 'index');
  const left = ids.slice(0, 10);
  const deleting = rig.run('delete', { index: source, ids: ids.slice(10) });
  expect(await deleting).toMatchObject({ status: 'done' });
  await holds.rollback();
  const tracker = await endOf(handle);
  expect(tracker).toMatchObject({ status: 'done', data: { verified: { source: 10, dest: 10, recall: 1 } } });
  expect((await liveIds(db, no)).sort()).toEqual(left);
});
