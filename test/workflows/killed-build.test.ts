import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { TASKS } from '../../src/contract/task-types.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import { isVectorIndexReady } from '../../src/store/vector-index.ts';
import type { CliProcess } from '../cli/support.ts';
import { liveIds } from '../store/builders.ts';
import { openTransaction, untilWaiting } from '../store/concurrency.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../support/rig.ts';
import { startCliWorker } from './support/cli-worker.ts';

const OBJECTS = 60;
const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;
let database: TestDatabase;
let environment: TestWorkflowEnvironment;
let worker: CliProcess | undefined;
let rig: Rig | undefined;
beforeAll(async () => {
  [database, environment] = await Promise.all([openPostgresDatabase(), startTemporal('dev')]);
});
afterEach(async () => {
  await worker?.ends('SIGKILL');
  await rig?.stop();
  [worker, rig] = [undefined, undefined];
});
afterAll(async () => {
  await environment?.teardown();
  await database?.close();
});

/** When the index is built, and how many objects are there then. */
const BUILDS = [
  ['of an empty index, before the copy', 'during', 0],
  ['on half of the objects', 'split', OBJECTS / 2],
  ['on all objects, after the copy', 'after', OBJECTS],
] as const;

test.each(BUILDS)(
  'a build %s continues elsewhere after its worker was killed',
  {
    timeout: 300_000,
  },
  async (_when, indexBuild, copied) => {
    const { db } = database;
    const [taskQueue, alias] = [`reembed-killed-${indexBuild}`, `docs-${indexBuild}`];
    const first = await startRig({ environment, db, taskQueue });
    await givenIndex(db, `a-${indexBuild}`, { alias });
    const dest = await givenIndex(db, `b-${indexBuild}`, { config: { model: destModel } });
    const items = Array.from({ length: OBJECTS }, (_, at) => ({ id: `k${at}`, payload: `text ${at}` }));
    expect(await first.run('upsert', { index: alias, items })).toMatchObject({ status: 'done' });
    await first.stop();

    const other = await openTransaction(db, (trx) =>
      sql`lock table ${tablesOf(dest.no).parts} in share update exclusive mode`.execute(trx),
    );
    worker = startCliWorker({ environment, databaseUrl: database.url, taskQueue });
    await worker.prints(/worker runs/);
    const handle = await environment.client.workflow.start(TASKS.reindex.workflow, {
      workflowId: `rebuild-${indexBuild}`,
      taskQueue,
      args: [{ source: alias, dest: dest.name, indexBuild }],
    });
    await trackerWhen(handle, ({ data }) => data.phase === 'index');
    await untilWaiting(db, 1);
    expect(await liveIds(db, dest.no)).toHaveLength(copied);
    await worker.ends('SIGKILL');
    await other.rollback();
    rig = await startRig({ environment, db, taskQueue });
    expect(await endOf(handle)).toMatchObject({
      ...{ status: 'done', attempts: 1, errors: [] },
      data: { copied: OBJECTS, verified: { dest: OBJECTS, recall: 1 }, indexStrategy: { chosen: indexBuild } },
    });
    expect(await liveIds(db, dest.no)).toHaveLength(OBJECTS);
    expect(await isVectorIndexReady(db, dest)).toBe(true);
  },
);
