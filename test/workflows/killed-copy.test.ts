import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { HEARTBEAT } from '../../src/contract/heartbeats.ts';
import { TASKS } from '../../src/contract/task-types.ts';
import { findIndex } from '../../src/store/indexes.ts';
import type { CliProcess } from '../cli/support.ts';
import { liveIds } from '../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { type EmbeddingServer, startEmbeddingServer } from '../support/embedding-server.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal } from '../support/rig.ts';
import { startCliWorker } from './support/cli-worker.ts';

const taskQueue = 'reembed-killed-copy';
const [OBJECTS, TEXTS_PER_CALL, ANSWERED] = [200, 5, 50];
let database: TestDatabase;
let environment: TestWorkflowEnvironment;
let model: EmbeddingServer;
let worker: CliProcess | undefined;
let rig: Rig | undefined;
beforeAll(async () => {
  [database, environment, model] = await Promise.all([
    openPostgresDatabase(),
    startTemporal('dev'),
    startEmbeddingServer({ dimensions: 8 }),
  ]);
});
afterAll(async () => {
  await worker?.ends('SIGKILL');
  await rig?.stop();
  await model?.close();
  await environment?.teardown();
  await database?.close();
});

const textsOfObjects = (texts: readonly string[]) => texts.filter((text) => text.startsWith('text '));

/** Answers some texts of objects, and holds all further calls. */
function answerAndHold() {
  const held: string[] = [];
  let answered = 0;
  model.behave(({ texts }) => {
    const ours = textsOfObjects(texts);
    if (ours.length === 0 || answered < ANSWERED) {
      answered += ours.length;
      return undefined;
    }
    held.push(...ours);
    return { kind: 'hang' };
  });
  return { held, answered: () => answered };
}

test('the copy of a killed worker continues elsewhere, and only the calls in flight are sent again', {
  timeout: 300_000,
}, async () => {
  const { db } = database;
  const first = await startRig({ environment, db, taskQueue });
  await givenIndex(db, 'a');
  const items = Array.from({ length: OBJECTS }, (_, at) => ({ id: `k${at}`, payload: `text ${at}` }));
  expect(await first.run('upsert', { index: 'a', items })).toMatchObject({ status: 'done' });
  await first.stop();

  const { held, answered } = answerAndHold();
  worker = startCliWorker({ environment, databaseUrl: database.url, taskQueue });
  await worker.prints(/worker runs/);
  const destModel = { provider: 'openai', name: 'held', dimensions: 8, baseUrl: model.url, batchSize: TEXTS_PER_CALL };
  const handle = await environment.client.workflow.start(TASKS.reindex.workflow, {
    workflowId: 'rebuild',
    taskQueue,
    args: [{ source: 'a', dest: 'b', destModel }],
  });
  await vi.waitFor(
    async () => {
      const dest = await findIndex(db, 'b');
      expect(held.length).toBeGreaterThan(0);
      expect(await liveIds(db, dest?.no ?? 0)).toHaveLength(answered());
    },
    { timeout: 90_000, interval: 100 },
  );
  await worker.ends('SIGKILL');
  const inFlight = held.length;
  model.behave(() => undefined);
  rig = await startRig({ environment, db, taskQueue });
  expect(await endOf(handle)).toMatchObject({ status: 'done', attempts: 1, errors: [] });

  const sent = model.requests.flatMap(({ texts }) => textsOfObjects(texts));
  expect(new Set(sent).size).toBe(OBJECTS);
  expect(sent.length - OBJECTS).toBeLessThanOrEqual(inFlight);
});

test('every activity that calls a model is missed soon after its worker has died', async () => {
  const slices = environment.client.workflow.list({ query: "WorkflowType = 'reindexSlice'" });
  const timeouts: number[] = [];
  for await (const { workflowId, runId } of slices) {
    const { events } = await environment.client.workflow.getHandle(workflowId, runId).fetchHistory();
    for (const { activityTaskScheduledEventAttributes: scheduled } of events ?? []) {
      if (scheduled?.activityType?.name !== 'copySlice') continue;
      timeouts.push(Number(scheduled.heartbeatTimeout?.seconds) * 1_000);
    }
  }
  expect(new Set(timeouts)).toEqual(new Set([HEARTBEAT.timeoutMs]));
});
