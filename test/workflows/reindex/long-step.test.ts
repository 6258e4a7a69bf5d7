import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seenWhen } from '../../support/eventually.ts';
import { endOf, startTemporal } from '../../support/rig.ts';
import { type ScriptedWorkers, startScripted } from '../support/scripted.ts';

let environment: TestWorkflowEnvironment;
let workers: ScriptedWorkers;

beforeAll(async () => {
  environment = await startTemporal('dev', { dynamicConfig: ['limit.historyCount.suggestContinueAsNew=40'] });
  workers = await startScripted(environment);
});
afterAll(async () => {
  await workers?.stop();
  await environment?.teardown();
});

test('a lock of some seconds is renewed for longer once the renewals of a long step have filled the history', async () => {
  const script = workers.scriptOf('long');
  script.during = async (activity) => {
    if (activity !== 'buildVectorIndex') return;
    const renewed = script.leases.length;
    await seenWhen(
      async () => script.leases.slice(renewed),
      (leases) => leases.some((seconds) => seconds > 4),
    );
  };
  const { taskQueue } = workers;
  const args = [{ source: 'a', dest: 'b' }];
  const handle = await environment.client.workflow.start('reindex', { workflowId: 'long', taskQueue, args });
  expect(await endOf(handle)).toMatchObject({ status: 'done', attempts: 1 });
  expect(script.calls.cutOver).toBe(1);
});
