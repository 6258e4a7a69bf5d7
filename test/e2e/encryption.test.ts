import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createApi } from '../../src/api/app.ts';
import { canonicalJson } from '../../src/contract/canonical-json.ts';
import { codecBody } from '../../src/contract/codec.ts';
import { ROLES } from '../../src/contract/roles.ts';
import { createRegistry, defineTask } from '../../src/jobs/index.ts';
import { sendJob } from '../../src/jobs/send.ts';
import { createModels } from '../../src/models/models.ts';
import { startHttpServer } from '../../src/runtime/http-server.ts';
import { findServer } from '../../src/runtime/servers/find.ts';
import { resolveIndex } from '../../src/store/indexes.ts';
import { streamObjects } from '../../src/store/objects.ts';
import { encryptionCodec } from '../../src/temporal/encryption/codec.ts';
import type { EncryptionKey } from '../../src/temporal/encryption/keys.ts';
import { throttleTask } from '../../src/temporal/index.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { clientOf, endOf, givenIndex, type Rig, silentLog, startRig, startTemporal } from '../support/rig.ts';

const keyOf = (id: string): EncryptionKey => ({ id, key: randomBytes(32).toString('base64') });
const [old, fresh] = [keyOf('key-of-2025'), keyOf('key-of-2026')];
/** In every id, payload, job input and error; never in the name of a task or an index, which Temporal shows to all. */
const MARKER = 'm4rk3r';

let environment: TestWorkflowEnvironment;
let database: TestDatabase;
const rigs: Rig[] = [];
beforeAll(async () => {
  [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
});
afterAll(async () => {
  await Promise.all(rigs.map((rig) => rig.stop()));
  await environment?.teardown();
  await database?.close();
});

async function rigWith(encryptionKeys: EncryptionKey[], taskQueue: string): Promise<Rig> {
  const registry = createRegistry();
  defineTask({ name: 'fail', input: z.object({ secret: z.string() }), maxAttempts: 1, registry }, ({ secret }) => {
    throw new Error(`it did not like ${secret}`);
  });
  const connection = await NativeConnection.connect({ address: environment.address });
  const rig = await startRig({
    environment,
    connection,
    db: database.db,
    encryptionKeys,
    taskQueue,
    jobs: { registry },
  });
  rigs.push({
    ...rig,
    async stop() {
      await rig.stop();
      await connection.close();
    },
  });
  return rigs.at(-1) as Rig;
}

async function stop(rig: Rig): Promise<void> {
  rigs.splice(rigs.indexOf(rig), 1);
  await rig.stop();
}

/** Everything that Temporal stores of a workflow, as bytes: its history, and its row in lists. */
async function bytesOf(workflowId: string): Promise<Buffer> {
  const { workflowService } = environment.client;
  const execution = { workflowId };
  const namespace = environment.namespace ?? 'default';
  const { history } = await workflowService.getWorkflowExecutionHistory({ namespace, execution });
  const described = await workflowService.describeWorkflowExecution({ namespace, execution });
  return Buffer.concat([
    temporal.api.history.v1.History.encode(history ?? {}).finish(),
    temporal.api.workflowservice.v1.DescribeWorkflowExecutionResponse.encode(described).finish(),
  ]);
}

async function allWorkflows(client: Client, query?: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
  return ids;
}

function apiOf(client: Client, taskQueue: string) {
  const app = createApi({ db: database.db, client, models: createModels({ env: {} }), taskQueue, log: silentLog });
  return async (type: string, body: object) => {
    const response = await app.request(`/v1/tasks/${type}/run?wait=true`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, tracker: await response.json() };
  };
}

test('keys are rotated under running writes and a running reindex, nothing is lost, and Temporal never sees an id', {
  timeout: 180_000,
}, async () => {
  const taskQueue = 'rotation';
  const before = await rigWith([old], taskQueue);
  await givenIndex(database.db, 'rotated', { alias: 'live' });
  const expected = new Map<string, string | null>();
  const items = Array.from({ length: 400 }, (_, at) => ({ id: `${MARKER}-${at}`, payload: `${MARKER} text ${at}` }));
  for (const { id, payload } of items) expected.set(id, payload);
  // Inline in the input, as when started by hand, and staged, as by the API.
  expect(await before.run('upsert', { index: 'live', items: items.slice(0, 100) })).toMatchObject({ status: 'done' });
  let run = apiOf(before.client, taskQueue);
  expect(await run('upsert', { index: 'live', items: items.slice(100) })).toMatchObject({
    tracker: { status: 'done' },
  });

  const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;
  const reindex = await before.start('reindex', {
    source: 'live',
    dest: 'rotated-2',
    destModel,
    // It would take minutes: it may continue once the keys are rotated.
    ratePerSecond: 2,
    batchSize: 2,
  });
  let turns = 0;
  let writing = true;
  const writer = (async () => {
    while (writing) {
      const turn = turns++;
      const [changed, gone, added] = [`${MARKER}-${turn % 200}`, `${MARKER}-${200 + turn}`, `${MARKER}-new-${turn}`];
      const written = await run('upsert', {
        index: 'live',
        items: [changed, added].map((id) => ({ id, payload: `${MARKER} of turn ${turn}` })),
      });
      const deleted = await run('delete', { index: 'live', ids: [gone] });
      expect([written, deleted]).toMatchObject([{ tracker: { status: 'done' } }, { tracker: { status: 'done' } }]);
      expected.set(changed, `${MARKER} of turn ${turn}`).set(added, `${MARKER} of turn ${turn}`).set(gone, null);
    }
  })();
  const until = (count: number) => expect.poll(() => turns, { timeout: 90_000 }).toBeGreaterThan(count);
  await until(2);

  // The new key reaches half of the workers and the API: the others get payloads that they cannot read.
  const after = await rigWith([fresh, old], taskQueue);
  run = apiOf(after.client, taskQueue);
  await until(4);
  const ofReindex = after.client.workflow.getHandle(reindex.workflowId);
  expect((await ofReindex.describe()).status.name).toBe('RUNNING');
  await stop(before);
  await until(8);
  expect((await ofReindex.describe()).status.name).toBe('RUNNING');
  await throttleTask(after.client, reindex.workflowId, 10_000);

  expect(await endOf(ofReindex)).toMatchObject({ status: 'done' });
  await until(turns + 2);
  writing = false;
  await writer;

  const served = new Map<string, unknown>();
  for await (const { id, payload } of streamObjects(database.db, await resolveIndex(database.db, 'live'))) {
    served.set(id, payload);
  }
  expect((await resolveIndex(database.db, 'live')).name).toBe('rotated-2');
  expect(served.size).toBeGreaterThan(100);
  expect([...served.keys()].filter((id) => !expected.has(id))).toEqual([]);
  expect([...expected].filter(([id, payload]) => (served.get(id) ?? null) !== payload)).toEqual([]);

  const ids = await allWorkflows(after.client);
  expect(ids.length).toBeGreaterThan(15);
  for (const id of ids) expect([id, (await bytesOf(id)).includes(MARKER)]).toEqual([id, false]);
  const history = await bytesOf(reindex.workflowId);
  expect([old.id, fresh.id].map((id) => history.includes(id))).toEqual([true, true]);
});

test('errors, input and memo of a job are encrypted, and its tracker shows them to those with the key', async () => {
  const rig = await rigWith([old], 'failing');
  const handle = await rig.start('job', { name: 'fail', input: { secret: MARKER } } as never);
  const tracker = await endOf(handle);
  expect(tracker).toMatchObject({ status: 'exhausted', errors: [{ message: `it did not like ${MARKER}` }] });
  const bytes = await bytesOf(handle.workflowId);
  expect(bytes.includes(MARKER)).toBe(false);
  expect(bytes.includes(old.id)).toBe(true);
});

test('duplicate keys and fairness keys of jobs appear as keyed hashes only', async () => {
  const taskQueue = 'hidden';
  const rig = await rigWith([old], taskQueue);
  const registry = createRegistry();
  const task = defineTask({ name: 'fail', input: z.object({ secret: z.string() }), registry }, () => {});
  const call = { onDuplicate: 'serial', fairnessKey: `${MARKER}-customer`, maxAttempts: 1 } as const;
  const { id } = await sendJob(task, { secret: MARKER }, call, { connection: { client: rig.client, taskQueue } });
  expect(await endOf(rig.client.workflow.getHandle(id))).toMatchObject({ status: 'exhausted' });
  const guessed = createHash('sha256')
    .update(canonicalJson({ secret: MARKER }))
    .digest('hex')
    .slice(0, 32);
  const lanes = await allWorkflows(rig.client, `WorkflowId STARTS_WITH 'job-lane/hidden/'`);
  expect(lanes).toHaveLength(1);
  for (const workflow of [id, ...lanes]) {
    const bytes = Buffer.concat([Buffer.from(workflow), await bytesOf(workflow)]);
    expect([bytes.includes(MARKER), bytes.includes(guessed)]).toEqual([false, false]);
  }
});

test('tasks started without encryption continue with it', async () => {
  await givenIndex(database.db, 'plain-before');
  const items = [{ id: 'a', payload: `${MARKER} in the clear` }];
  const { workflow } = environment.client;
  await workflow.start('upsert', { workflowId: 'plain', taskQueue: 'plain', args: [{ index: 'plain-before', items }] });
  // The search for markers does find them in unencrypted bytes.
  expect((await bytesOf('plain')).includes(MARKER)).toBe(true);
  const rig = await rigWith([old], 'plain');
  expect(await endOf(rig.client.workflow.getHandle('plain'))).toMatchObject({ status: 'done' });
});

test('a task whose key a worker does not have waits until one has it', async () => {
  await givenIndex(database.db, 'waiting');
  const ignorant = await rigWith([old], 'waiting');
  const client = clientOf(environment, [fresh]);
  const input = { index: 'waiting', items: [{ id: 'a', payload: 'a lion' }] };
  const handle = await client.workflow.start('upsert', { workflowId: 'w', taskQueue: 'waiting', args: [input] });
  const failed = temporal.api.enums.v1.EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED;
  const events = async () => (await handle.fetchHistory()).events ?? [];
  await expect
    .poll(async () => (await events()).some(({ eventType }) => eventType === failed), { timeout: 90_000 })
    .toBe(true);
  await stop(ignorant);
  const { client: knowing } = await rigWith([old, fresh], 'waiting');
  expect(await endOf(knowing.workflow.getHandle('w'))).toMatchObject({ status: 'done' });
});

describe('the codec endpoint', () => {
  let url: string;
  let close: () => Promise<void>;
  let cli: string;
  const apiTokens = ROLES.map((role) => ({ name: role, role, token: `rmb_${role}` }));

  beforeAll(async () => {
    cli = await findServer('temporal-cli', { env: process.env, say: () => {} });
    const app = createApi({
      db: database.db,
      client: clientOf(environment, [fresh, old]),
      codec: encryptionCodec([fresh, old]),
      models: createModels({ env: {} }),
      taskQueue: 'codec',
      log: silentLog,
      settings: { apiTokens },
    });
    const server = await startHttpServer({ fetch: app.fetch, host: '127.0.0.1', port: 0, anyPort: true });
    ({ url } = server);
    close = () => server.stop(0);
    const rig = await rigWith([old], 'codec');
    await givenIndex(database.db, 'codec');
    await rig.run('upsert', { index: 'codec', items: [{ id: MARKER, payload: 'a lion' }] }, 'shown');
  });
  afterAll(() => close?.());

  /** The history as the command shows it, with its base64 decoded. */
  async function show(...args: string[]): Promise<string> {
    const where = ['--address', environment.address, '--namespace', environment.namespace ?? 'default'];
    const workflow = ['workflow', 'show', '-w', 'shown', ...where, '--output', 'json'];
    const { stdout } = await promisify(execFile)(cli, [...workflow, ...args]);
    return stdout.replaceAll(/"data": "([^"]+)"/g, (_all, data: string) => atob(data));
  }

  test("lets Temporal's command show a history to an admin, which is unreadable without it", async () => {
    expect(await show()).not.toMatch(new RegExp(`${MARKER}|a lion`));
    const opened = await show('--codec-endpoint', `${url}/codec`, '--codec-auth', 'Bearer rmb_admin');
    expect(opened).toContain(`{"id":"${MARKER}","payload":"a lion"`);
  });

  test('is closed to other roles', async () => {
    const asking = show('--codec-endpoint', `${url}/codec`, '--codec-auth', 'Bearer rmb_operate');
    await expect(asking).rejects.toMatchObject({ stdout: expect.not.stringContaining('eventId') });
  });

  test('encrypts what it is sent, and reports which key it lacks', async () => {
    const post = async (call: string, payloads: unknown) => {
      const response = await fetch(`${url}/codec/${call}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer rmb_admin' },
        body: JSON.stringify({ payloads }),
      });
      return { status: response.status, body: await response.json() };
    };
    const plain = [{ metadata: { encoding: btoa('json/plain') }, data: btoa('"a lion"') }];
    const { body } = await post('encode', plain);
    const encrypted = codecBody.parse(body).payloads;
    expect(atob(encrypted[0]?.metadata?.['encryption-key-id'] ?? '')).toBe(fresh.id);
    expect(await post('decode', encrypted)).toEqual({ status: 200, body: { payloads: plain } });
    const [lost] = await encryptionCodec([keyOf('lost-key')]).encode([
      defaultPayloadConverter.toPayload('x') as Payload,
    ]);
    const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
    const metadata = Object.fromEntries(
      Object.entries(lost?.metadata ?? {}).map(([name, value]) => [name, base64(value)]),
    );
    const refused = await post('decode', [{ metadata, data: base64(lost?.data ?? new Uint8Array()) }]);
    expect(refused).toMatchObject({ status: 400, body: { detail: expect.stringContaining('"lost-key"') } });
  });
});
