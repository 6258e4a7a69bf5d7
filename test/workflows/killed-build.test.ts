import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TASKS } from '../../src/contract/task-types.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import { isVectorIndexReady } from '../../src/store/vector-index.ts';
import type { CliProcess } from '../cli/support.ts';
import { liveIds } from '../store/builders.ts';
import { openTransaction, untilWaiting } from '../store/concurrency.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../support/rig.ts';
import { startCliWorker } from './support/cli-worker.ts';

const taskQueue = 'reembed-killed-build';
const OBJECTS = 60;
const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;
let database: TestDatabase;
let environment: TestWorkflowEnvironment;
let worker: CliProcess | undefined;
let rig: Rig | undefined;
beforeAll(async () => {
  [database, environment] = await Promise.all([openPostgresDatabase(), startTemporal('dev')]);
});
afterAll(async () => {
  await worker?.ends('SIGKILL');
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
});

test('a build on half of the objects continues elsewhere after its worker was killed, and the rest is inserted', {
  timeout: 300_000,
}, async () => {
  const { db } = database;
  const first = await startRig({ environment, db, taskQueue });
  await givenIndex(db, 'a', { alias: 'docs' });
  const dest = await givenIndex(db, 'b', { config: { model: destModel } });
  const items = Array.from({ length: OBJECTS }, (_, at) => ({ id: `k${at}`, payload: `text ${at}` }));
  expect(await first.run('upsert', { index: 'docs', items })).toMatchObject({ status: 'done' });
  await first.stop();

  const other = await openTransaction(db, (trx) =>
    sql`lock table ${tablesOf(dest.no).parts} in share update exclusive mode`.execute(trx),
  );
  worker = startCliWorker({ environment, databaseUrl: database.url, taskQueue });
  await worker.prints(/worker runs/);
  const handle = await environment.client.workflow.start(TASKS.reindex.workflow, {
    workflowId: 'rebuild',
    taskQueue,
    args: [{ source: 'docs', dest: 'b', indexBuild: 'split' }],
  });
  await trackerWhen(handle, ({ data }) => data.phase === 'index');
  await untilWaiting(db, 1);
  expect(await liveIds(db, dest.no)).toHaveLength(OBJECTS / 2);
  await worker.ends('SIGKILL');
  await other.rollback();
  rig = await startRig({ environment, db, taskQueue });
  expect(await endOf(handle)).toMatchObject({
    ...{ status: 'done', attempts: 1, errors: [] },
    data: { copied: OBJECTS, verified: { dest: OBJECTS, recall: 1 }, indexStrategy: { chosen: 'split' } },
  });
  expect(await liveIds(db, dest.no)).toHaveLength(OBJECTS);
  expect(await isVectorIndexReady(db, dest)).toBe(true);
});
