import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitForEnd } from '../../../src/temporal/tasks/wait.ts';
import { startTemporal } from '../../support/rig.ts';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await startTemporal('dev');
});
afterAll(() => environment?.teardown());

/** No worker runs it: it never ends. */
async function endless(client: Client): Promise<string> {
  const workflowId = `endless-${randomUUID()}`;
  await client.workflow.start('nobody', { workflowId, taskQueue: `none-${randomUUID()}` });
  return workflowId;
}

test.each(['connection', 'nativeConnection'] as const)(
  'a wait on a %s ends with its signal, long before its time',
  async (kind) => {
    const client = new Client({ connection: environment[kind], namespace: environment.namespace });
    const caller = new AbortController();
    const waiting = waitForEnd(client, await endless(client), 3_600_000, caller.signal);
    setTimeout(() => caller.abort(), 300);
    expect(await waiting).toBeUndefined();
  },
);

test('a wait ends at its timeout without a result while the task continues', async () => {
  const { client } = environment;
  expect(await waitForEnd(client, await endless(client), 500)).toBeUndefined();
});
