import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TASKS } from '../../src/contract/task-types.ts';
import { holdGateShared } from '../../src/store/protocol/gate.ts';
import type { CliProcess } from '../cli/support.ts';
import { openTransaction, untilWaiting } from '../store/concurrency.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../support/rig.ts';
import { startCliWorker } from './support/cli-worker.ts';

const taskQueue = 'reembed-dead-worker';
let database: TestDatabase;
let environment: TestWorkflowEnvironment;
let worker: CliProcess | undefined;
let rig: Rig | undefined;
beforeAll(async () => {
  database = await openPostgresDatabase();
  environment = await startTemporal('dev');
});
afterAll(async () => {
  await worker?.ends('SIGKILL');
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
});

// Such a statement may wait for minutes: without heartbeats, the loss of the worker would stay unnoticed for ten.
test('a worker that is killed while it takes a lock is replaced before its try has timed out', {
  timeout: 240_000,
}, async () => {
  const { db } = database;
  const source = await givenIndex(db, 'a');
  worker = startCliWorker({ environment, databaseUrl: database.url, taskQueue });
  await worker.prints(/worker runs/);
  const writer = await openTransaction(db, (trx) => holdGateShared(trx, source.no));
  const handle = await environment.client.workflow.start(TASKS.reindex.workflow, {
    workflowId: 'rebuild',
    taskQueue,
    args: [{ source: 'a', dest: 'b', destModel: { provider: 'hash', name: 'hash-v1', dimensions: 16 } }],
  });
  await trackerWhen(handle, ({ data }) => data.phase === 'lock');
  await untilWaiting(db, 1);
  await worker.ends('SIGKILL');
  await writer.commit();
  const killedMs = Date.now();
  rig = await startRig({ environment, db, taskQueue });
  expect(await endOf(handle)).toMatchObject({ status: 'done', attempts: 1, errors: [] });
  expect(Date.now() - killedMs).toBeLessThan(120_000);
});
