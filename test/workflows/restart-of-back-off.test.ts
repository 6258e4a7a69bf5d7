import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TASKS } from '../../src/contract/task-types.ts';
import { startTemporal, trackerWhen } from '../support/rig.ts';
import { type ScriptedWorkers, startScripted } from './support/scripted.ts';

let environment: TestWorkflowEnvironment;
let workers: ScriptedWorkers;

beforeAll(async () => {
  environment = await startTemporal('dev');
  workers = await startScripted(environment);
});
afterAll(async () => {
  await workers?.stop();
  await environment?.teardown();
});

test('a restart that ends a back-off does not also delete the index that is kept current', async () => {
  const script = workers.scriptOf('retire');
  let isBroken = true;
  script.during = async (activity) => {
    if (activity === 'admit' && isBroken)
      throw ApplicationFailure.create({ type: 'TooManyFailed', message: 'not now' });
  };
  const mirror = { lock: randomUUID(), lockSeconds: 300, sourceNo: 2, destNo: 1, mark: 0 };
  // After nine attempts, the back-off takes ten minutes.
  const progress = { done: 0, total: 0, failed: 0, perSecond: 0, etaSeconds: null };
  const previous = { attempts: 9, createTime: '2026-01-01T00:00:00Z', errors: [], data: {}, progress };
  const retired = { parentId: 'forth', indexNo: 1, mirror };
  const handle = await environment.client.workflow.start(TASKS['delete-index'].workflow, {
    workflowId: 'retire',
    taskQueue: workers.taskQueue,
    args: [
      { index: 'a', after: '24h', maxAttempts: 100 },
      { v: 1, retired, previous },
    ],
  });
  await trackerWhen(handle, ({ status }) => status === 'failed');
  isBroken = false;
  await handle.signal('restart');
  const waiting = await trackerWhen(handle, ({ status }) => status === 'waiting' || status === 'done');
  expect(waiting).toMatchObject({
    status: 'waiting',
    detail: expect.stringContaining('until then it is kept current'),
  });
  expect(script.calls.markDeleting).toBeUndefined();
  await handle.signal('restart');
  await trackerWhen(handle, ({ status }) => status === 'done');
  expect(script.calls.markDeleting).toBe(1);
});
