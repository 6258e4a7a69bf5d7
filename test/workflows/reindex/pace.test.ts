import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { STEP_WAITS, WAITS } from '../../../src/contract/names.ts';
import type { Tracker } from '../../../src/contract/tasks.ts';
import { readTask } from '../../../src/temporal/tasks/read.ts';
import { seenWhen } from '../../support/eventually.ts';
import { startTemporal, trackerWhen } from '../../support/rig.ts';
import { type ScriptedWorkers, startScripted } from '../support/scripted.ts';

let environment: TestWorkflowEnvironment;
let workers: ScriptedWorkers | undefined;
beforeAll(async () => {
  environment = await startTemporal('dev');
});
afterEach(() => workers?.stop());
afterAll(() => environment?.teardown());

async function givenReindex() {
  workers = await startScripted(environment);
  const { taskQueue, scriptOf, stopEmbedding } = workers;
  const workflowId = `reindex-${randomUUID()}`;
  const start = (input = {}) =>
    environment.client.workflow.start('reindex', {
      workflowId,
      taskQueue,
      args: [{ source: 'a', dest: 'b', ...input }],
    });
  return { start, workflowId, script: scriptOf(workflowId), stopEmbedding };
}

/** The tracker as callers of the API see it, once it matches. */
async function taskWhen(taskId: string, fits: (tracker: Tracker) => boolean): Promise<Tracker> {
  return seenWhen(async () => (await readTask(environment.client, taskId)).tracker, fits, 'the tracker');
}

const HOUR_MS = 3_600_000;

test('a reindex says what slows its copy, in its tracker, its detail and in lists, until the next step', async () => {
  const { start, script } = await givenReindex();
  Object.assign(script, {
    copyChunks: 1_000_000,
    waits: { ranMs: HOUR_MS, liveMs: HOUR_MS / 2, rateMs: 0, modelMs: 0 },
  });
  const handle = await start();
  const slowed = await trackerWhen(handle, ({ pace }) => pace !== undefined);
  const text = 'yields to searches and writes, 50 % of the last minute';
  expect(slowed.pace).toEqual({ reason: 'live-work', share: 0.5, until: null, text });
  expect(slowed.detail).toContain(text);
  const listed = async () => ((await handle.describe()).memo?.tracker as Partial<Tracker> | undefined)?.pace;
  await vi.waitFor(async () => expect(await listed()).toEqual(slowed.pace), { timeout: 90_000, interval: 200 });
  script.copyChunks = 0;
  const later = await trackerWhen(handle, ({ status, data }) => status === 'done' || data.phase === 'verify');
  expect(later.pace).toBeUndefined();
});

test('a reindex whose changes are copied slowly says so too, and forgets it at its end', async () => {
  const { start, script } = await givenReindex();
  Object.assign(script, {
    reconcileChunks: 1_000_000,
    waits: { ranMs: HOUR_MS, liveMs: 0, rateMs: HOUR_MS / 2, modelMs: 0 },
  });
  const handle = await start({ ratePerSecond: 40 });
  const slowed = await trackerWhen(handle, ({ pace, data }) => pace !== undefined && data.phase === 'reconcile');
  expect(slowed.pace).toMatchObject({ reason: 'rate-limit', text: 'throttled to 40/s' });
  script.reconcileChunks = 0;
  const done = await trackerWhen(handle, ({ status }) => status === 'done');
  expect(done.pace).toBeUndefined();
  expect(done.detail).not.toContain('throttled');
});

test('a reindex says what its comparison with the source waits for, as the activity reports it', async () => {
  const { start, script } = await givenReindex();
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  script.during = (activity) => (activity === 'verify' ? released : Promise.resolve());
  const handle = await start();
  await trackerWhen(handle, ({ data }) => data.phase === 'verify');
  for (const sent of ['odd', null, { ranMs: -1 }]) await handle.signal(STEP_WAITS, sent);
  expect((await trackerWhen(handle, () => true)).pace).toBeUndefined();
  await handle.signal(STEP_WAITS, { ranMs: 10_000, liveMs: 7_500, rateMs: 0, modelMs: 0, workerMs: 0 });
  const { pace } = await trackerWhen(handle, (tracker) => tracker.pace !== undefined);
  expect(pace).toMatchObject({ reason: 'live-work', share: 0.75 });
  // A wait for the model goes first, and is no reason any more once it is over.
  const [since, nextTry] = ['2026-03-01T12:00:00.000Z', '2026-03-01T12:04:00.000Z'];
  const waits = { activity: 'verify', reason: 'ModelRateLimited', message: 'asked to slow down', since, nextTry };
  await handle.signal(WAITS, '1', waits);
  const limited = await trackerWhen(handle, (tracker) => tracker.pace?.reason === 'model-limit');
  expect(limited.pace).toMatchObject({ share: null, until: nextTry, text: expect.stringContaining(nextTry) });
  await handle.signal(WAITS, '1', null);
  await trackerWhen(handle, (tracker) => tracker.pace?.reason === 'live-work');
  release();
  expect((await trackerWhen(handle, ({ status }) => status === 'done')).pace).toBeUndefined();
});

test('a reindex that no worker embeds for says that it waits for a worker', async () => {
  const { start, workflowId, stopEmbedding } = await givenReindex();
  await stopEmbedding();
  const handle = await start();
  const seen = await taskWhen(workflowId, ({ pace }) => pace !== undefined);
  expect(seen).toMatchObject({ status: 'processing', pace: { reason: 'worker', share: null, until: null } });
  await handle.terminate();
  expect((await readTask(environment.client, workflowId)).tracker.pace).toBeUndefined();
});

test('a reindex whose slices lose their workers says that it waits for a worker', async () => {
  const { start, workflowId, script, stopEmbedding } = await givenReindex();
  script.copyChunks = 1_000_000;
  const handle = await start();
  await trackerWhen(handle, ({ progress }) => progress.done > 0);
  await stopEmbedding();
  expect(await taskWhen(workflowId, ({ pace }) => pace !== undefined)).toMatchObject({
    data: { phase: 'copy' },
    pace: { reason: 'worker', text: 'waits for a worker' },
  });
  await handle.terminate();
});
