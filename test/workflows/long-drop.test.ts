import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { endOf, startTemporal } from '../support/rig.ts';
import { type ScriptedWorkers, startScripted } from './support/scripted.ts';

vi.setConfig({ testTimeout: 240_000 });

let environment: TestWorkflowEnvironment;
let workers: ScriptedWorkers;

beforeAll(async () => {
  environment = await startTemporal('dev', { dynamicConfig: ['limit.historyCount.suggestContinueAsNew=20'] });
  workers = await startScripted(environment);
});
afterAll(async () => {
  await workers?.stop();
  await environment?.teardown();
});

test.each([
  ['nothing', async () => {}],
  ['cancel', (handle: WorkflowHandle) => handle.signal('cancel', 'too late')],
  ['a cancellation of Temporal', (handle: WorkflowHandle) => handle.cancel()],
] as const)(
  'a deletion whose tables are in use for long has a bounded history and ends done, after %s',
  async (what, send) => {
    const workflowId = `drop-${what.replaceAll(' ', '-')}`;
    const script = workers.scriptOf(workflowId);
    script.usedFor = 4;
    const handle = environment.client.workflow.getHandle(workflowId);
    script.during = async (activity, call) => {
      if (activity === 'dropIndex' && call === 1) await send(handle);
    };
    const { taskQueue } = workers;
    const { firstExecutionRunId } = await environment.client.workflow.start('deleteIndex', {
      ...{ workflowId, taskQueue, args: [{ index: 'docs' }] },
    });
    expect(await endOf(handle)).toMatchObject({ status: 'done', attempts: 1, detail: 'docs is deleted' });
    expect((await handle.describe()).runId).not.toBe(firstExecutionRunId);
    expect(script.calls).toMatchObject({ dropIndex: 5, admit: 1 });
  },
);
