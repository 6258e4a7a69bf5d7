import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type AnyTask, createRegistry, defineTask } from '../../src/jobs/index.ts';
import { sendJob } from '../../src/jobs/send.ts';
import { countExecutions } from '../../src/temporal/lists/visibility.ts';
import { readTask } from '../../src/temporal/tasks/read.ts';
import { waitForTask } from '../../src/temporal/tasks/wait.ts';
import { startTemporal } from '../support/rig.ts';

let environment: TestWorkflowEnvironment;
let connection: Connection;
let client: Client;
let task: AnyTask;
const taskQueue = `app-${randomUUID()}`;

beforeAll(async () => {
  environment = await startTemporal('dev');
});
afterAll(() => environment?.teardown());
beforeEach(async () => {
  connection = await Connection.connect({ address: environment.address });
  client = new Client({ connection, namespace: environment.namespace });
  const registry = createRegistry();
  task = defineTask({ name: 'check', registry }, () => {});
  registry.connect({ client, taskQueue });
});
afterEach(() => connection?.close());

type Method = 'startWorkflowExecution' | 'describeWorkflowExecution' | 'getWorkflowExecutionHistory';

/** The server handles its calls, and its answers are lost as often as given. */
function loseAnswers(method: Method, isLost: (call: number) => boolean): { calls: number } {
  const service = connection.workflowService;
  const real = (service[method] as (...args: unknown[]) => Promise<unknown>).bind(service);
  const count = { calls: 0 };
  const lossy = async (...args: unknown[]) => {
    const answer = await real(...args);
    if (!isLost(++count.calls)) return answer;
    throw Object.assign(new Error('4 DEADLINE_EXCEEDED'), { code: 4, details: 'late', metadata: { get: () => [] } });
  };
  Object.assign(service, { [method]: lossy });
  return count;
}

test('jobs that are sent in a burst all start once, even if every other answer is lost', async () => {
  const count = loseAnswers('startWorkflowExecution', (call) => call % 2 === 1);
  const sent = await Promise.all(Array.from({ length: 60 }, () => task.delay(undefined)));
  expect(new Set(sent.map(({ id }) => id)).size).toBe(60);
  expect(count.calls).toBeGreaterThan(60);
  await expect
    .poll(async () => (await client.workflow.count(`TaskType = 'job' AND JobName = 'check'`)).count, {
      timeout: 90_000,
    })
    .toBe(60);
});

test('a send with an unknown outcome reports the id, with which it can be sent again', async () => {
  let lost = true;
  loseAnswers('startWorkflowExecution', () => lost);
  const error = await sendJob(task, undefined, {}, { patienceMs: 500 }).catch((thrown) => thrown);
  expect(error).toMatchObject({ type: 'TemporalUnavailable', taskId: expect.any(String) });
  expect(error.message).toContain(error.taskId);
  lost = false;
  const again = await task.applyAsync(undefined, { taskId: error.taskId });
  expect(again.id).toBe(error.taskId);
  const { historyLength } = await client.workflow.getHandle(error.taskId).describe();
  expect(historyLength).toBe(2);
});

test('a wait continues over calls that the server does not answer, until its own timeout', async () => {
  const { id } = await task.delay(undefined);
  const described = loseAnswers('describeWorkflowExecution', (call) => call <= 2);
  const asked = loseAnswers('getWorkflowExecutionHistory', (call) => call <= 2);
  setTimeout(() => void environment.client.workflow.getHandle(id).terminate('enough'), 2_000);
  expect(await waitForTask(client, id, 90_000)).toMatchObject({ id, status: 'canceled' });
  expect(described.calls).toBeGreaterThan(2);
  expect(asked.calls).toBeGreaterThan(0);

  const { id: other } = await task.delay(undefined);
  loseAnswers('describeWorkflowExecution', () => true);
  await expect(waitForTask(client, other, 1_500)).rejects.toMatchObject({ type: 'TemporalUnavailable' });
});

test('a call on a closed connection, as when its process stops, is reported as an unavailable server', async () => {
  await connection.close();
  const away = { type: 'TemporalUnavailable' };
  await expect(readTask(client, 'any')).rejects.toMatchObject(away);
  await expect(countExecutions(client, `TaskType = 'job'`)).rejects.toMatchObject(away);
});
