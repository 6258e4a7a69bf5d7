import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { QUERY, SIGNAL } from '../../../src/contract/names.ts';
import type { Tracker } from '../../../src/contract/tasks.ts';
import { listAliases } from '../../../src/store/aliases.ts';
import { listLocks } from '../../../src/store/protocol/locks.ts';
import type { CliProcess } from '../../cli/support.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, type Rig, startRig, startTemporal, trackerWhen } from '../../support/rig.ts';
import {
  type BatchReindex,
  type BatchReindexOptions,
  batchesOf,
  COUNT,
  givenBatchReindex,
  textsSent,
  usual,
  wrongIn,
} from '../support/batch-reindex.ts';
import { startCliWorker } from '../support/cli-worker.ts';

const NEVER = Number.POSITIVE_INFINITY;
const taskQueue = 'reembed-batches-runs';

describe('a reindex in batches whose server asks for new runs all the time', () => {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let rig: Rig;
  let worker: CliProcess | undefined;
  const open: BatchReindex[] = [];
  const work = () => startRig({ environment, db: database.db, taskQueue, settings: { batchApiTexts: 10 } });

  beforeAll(async () => {
    [environment, database] = await Promise.all([
      startTemporal('dev', { dynamicConfig: ['limit.historyCount.suggestContinueAsNew=40'] }),
      openPostgresDatabase(),
    ]);
    rig = await work();
  });
  afterEach(async () => {
    for (const { server } of open.splice(0)) await server.close();
  });
  afterAll(async () => {
    await worker?.ends('SIGKILL');
    await rig?.stop();
    await environment?.teardown();
    await database?.close();
  });

  async function given(options: BatchReindexOptions) {
    const reindex = await givenBatchReindex(database.db, rig, options);
    open.push(reindex);
    return reindex;
  }

  /** The reindex once all of its batches wait at the provider, in another run than its first. */
  async function waitingInLaterRun(handle: WorkflowHandle) {
    const { runId } = await handle.describe();
    return trackerWhen(handle, (tracker) => batchesOf(tracker)?.open === 3 && tracker.links.runId !== runId);
  }

  /** It is done, each text was sent once, and the new index serves. */
  async function expectDone({ server, dest, alias }: BatchReindex, handle: WorkflowHandle) {
    const tracker = await endOf(handle);
    expect(tracker).toMatchObject({ status: 'done', attempts: 1, data: { copied: COUNT, failed: 0 } });
    expect(batchesOf(tracker)).toMatchObject({ open: 0, jobs: 3, texts: COUNT, answered: COUNT });
    expect(textsSent(server).sort()).toEqual([...usual].sort());
    expect(await wrongIn(database.db, dest, usual)).toEqual([]);
    expect(await listAliases(database.db)).toContainEqual({ alias, index: dest });
  }

  test('sends each text once', async () => {
    const reindex = await given({ looks: 2 });
    const handle = await reindex.start();
    const { runId } = await handle.describe();
    await expectDone(reindex, handle);
    expect((await handle.query<Tracker>(QUERY.tracker)).links.runId).not.toBe(runId);
  });

  test('is paused while its batches wait, and collects them after it is resumed', async () => {
    const reindex = await given({ looks: NEVER });
    const handle = await reindex.start();
    await waitingInLaterRun(handle);
    await handle.signal(SIGNAL.pause);
    await trackerWhen(handle, ({ status }) => status === 'paused');
    reindex.server.options.looks = 1;
    await handle.signal(SIGNAL.resume);
    await expectDone(reindex, handle);
  });

  test('cancels the batches that an earlier run has sent', async () => {
    const { server, source, alias, start } = await given({ looks: NEVER });
    const handle = await start();
    await waitingInLaterRun(handle);
    await handle.signal(SIGNAL.cancel);
    expect(await endOf(handle)).toMatchObject({ status: 'canceled' });
    expect(server.jobs.map(({ status }) => status)).toEqual(['cancelling', 'cancelling', 'cancelling']);
    expect(await listAliases(database.db)).toContainEqual({ alias, index: source });
    expect((await listLocks(database.db)).filter(({ taskId }) => taskId === handle.workflowId)).toEqual([]);
  });

  test('continues after its worker was killed, and sends nothing again', { timeout: 300_000 }, async () => {
    const reindex = await given({ looks: NEVER });
    await rig.stop();
    const env = { REEMBED_BATCH_API_TEXTS: '10' };
    worker = startCliWorker({ environment, databaseUrl: database.url, taskQueue, env });
    await worker.prints(/worker runs/);
    const handle = await reindex.start();
    await waitingInLaterRun(handle);
    await worker.ends('SIGKILL');
    reindex.server.options.looks = 1;
    rig = await work();
    await expectDone(reindex, handle);
  });
});
