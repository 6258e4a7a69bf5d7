import type { WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SIGNAL } from '../../../src/contract/names.ts';
import { listAliases } from '../../../src/store/aliases.ts';
import { findIndex } from '../../../src/store/indexes.ts';
import { listLocks } from '../../../src/store/protocol/locks.ts';
import { liveIds } from '../../store/builders.ts';
import { type BatchServer, startBatchServer } from '../../support/batch-server.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../../support/rig.ts';

const DAY_MS = 86_400_000;
/** Events of a run, of which the server suggests a new one after 4,096 and the reindex may add some until then. */
const MAX_EVENTS = 6_000;
const ids = Array.from({ length: 8 }, (_, at) => `k${at}`);
const textOf = (id: string) => `text of ${id}`;
let environment: TestWorkflowEnvironment;
let database: TestDatabase;
let server: BatchServer;
let rig: Rig;

beforeAll(async () => {
  [environment, database, server] = await Promise.all([
    startTemporal('time-skipping'),
    openPostgresDatabase(),
    startBatchServer({
      vectorOf: (text) => [1 + text.length, text.charCodeAt(text.length - 1), 3],
      looks: Number.POSITIVE_INFINITY,
    }),
  ]);
  const settings = { batchApiTexts: 4, modelPrices: { 'openai/weekly': 1 } };
  rig = await startRig({ environment, db: database.db, settings });
});
afterAll(async () => {
  await rig?.stop();
  await server?.close();
  await environment?.teardown();
  await database?.close();
});

/** The events of every run of a task, and its time by the clock that runs ahead. */
async function runsOf({ workflowId, firstExecutionRunId }: WorkflowHandleWithFirstExecutionRunId) {
  const events: number[] = [];
  const times: number[] = [];
  for (let runId: string | undefined = firstExecutionRunId; runId; ) {
    const run = await environment.client.workflow.getHandle(workflowId, runId).fetchHistory();
    events.push(run.events?.length ?? 0);
    for (const { eventTime } of run.events ?? []) times.push(Number(eventTime?.seconds) * 1_000);
    runId = run.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
  }
  return { events, days: (Math.max(...times) - Math.min(...times)) / DAY_MS };
}

test('a reindex of more than a week, with batches, pauses and a rate, ends right and each of its runs is short', {
  timeout: 300_000,
}, async () => {
  const { db } = database;
  await givenIndex(db, 'old', { alias: 'docs' });
  const items = ids.map((id) => ({ id, payload: textOf(id) }));
  expect(await rig.run('upsert', { index: 'docs', items })).toMatchObject({ status: 'done' });
  const handle = (await rig.start('reindex', {
    ...{ source: 'docs', dest: 'new', batchApi: true, ratePerSecond: 1, approve: 'manual', lockSeconds: 3_600 },
    destModel: {
      ...{ provider: 'openai', name: 'weekly', dimensions: 3, baseUrl: server.url, sendDimensions: false },
      ...{ batchSize: 128, batchChars: 200_000, timeoutMs: 60_000 },
    },
  })) as WorkflowHandleWithFirstExecutionRunId;
  await trackerWhen(handle, ({ status, pace }) => status === 'waiting' && pace?.reason === 'batches');

  // The batches take a night, and somebody pauses the reindex for six days.
  await environment.sleep(DAY_MS / 2);
  await handle.signal(SIGNAL.pause);
  await trackerWhen(handle, ({ status }) => status === 'paused');
  await environment.sleep(6 * DAY_MS);
  server.options.looks = 1;
  await handle.signal(SIGNAL.resume);
  await trackerWhen(handle, ({ data }) => data.phase === 'approval');
  await environment.sleep(DAY_MS);
  await handle.signal(SIGNAL.approve);
  expect(await endOf(handle)).toMatchObject({
    ...{ status: 'done', attempts: 1, errors: [] },
    data: {
      copied: ids.length,
      batches: { open: 0, answered: ids.length, refused: 0, unknown: 0 },
      verified: { source: ids.length, dest: ids.length, failed: 0 },
    },
  });

  expect(await listAliases(db)).toContainEqual({ alias: 'docs', index: 'new' });
  const dest = await findIndex(db, 'new');
  expect((await liveIds(db, dest?.no ?? 0)).sort()).toEqual(ids);
  expect(await listLocks(db)).toEqual([]);
  const sent = server.jobs.flatMap(({ requests }) => requests.map(({ text }) => text));
  expect(sent.sort()).toEqual(ids.map(textOf));
  const { events, days } = await runsOf(handle);
  expect(days).toBeGreaterThan(7);
  expect(events.length).toBeGreaterThan(1);
  expect(Math.max(...events)).toBeLessThan(MAX_EVENTS);
});
