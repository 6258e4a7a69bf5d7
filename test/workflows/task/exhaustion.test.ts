import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ReembedError } from '../../../src/contract/errors.ts';
import type { Tracker } from '../../../src/contract/tasks.ts';
import { listAliases } from '../../../src/store/aliases.ts';
import { findIndex } from '../../../src/store/indexes.ts';
import { listObjects } from '../../../src/store/objects.ts';
import { listLocks } from '../../../src/store/protocol/locks.ts';
import { listFailed } from '../../../src/store/staging.ts';
import { restartTask } from '../../../src/temporal/index.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../../support/rig.ts';
import { fillDisk } from '../support/full-disk.ts';

const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;
/** Waits between ten tries of an activity: half a second, then twice as long each time, up to a minute. */
const TEN_TRIES_SECONDS = 0.5 + 1 + 2 + 4 + 8 + 16 + 32 + 60 + 60;
const items = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ id: `k${at}`, payload: `the text of ${at}` }));

describe('permanent failures, on a server whose clock runs ahead', () => {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let rig: Rig;
  let names = 0;
  let calls = 0;
  /** The waits between the tries of loads. They would take real time, which does not run ahead: only recorded. */
  const waits: number[] = [];
  let isDown: (texts: readonly string[], dimensions: number) => boolean = () => false;

  beforeAll(async () => {
    [environment, database] = await Promise.all([startTemporal('time-skipping'), openPostgresDatabase()]);
    rig = await startRig({
      environment,
      db: database.db,
      sleep: async (ms) => void waits.push(ms),
      embedder: (_config, usual) => ({
        ...usual,
        async embed(texts, options) {
          if (isDown(texts, usual.dimensions)) {
            calls++;
            throw new ReembedError('ModelUnavailable', 'nobody there');
          }
          return usual.embed(texts, options);
        },
      }),
    });
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await database?.close();
  });
  beforeEach(() => {
    waits.length = 0;
    calls = 0;
    isDown = () => false;
  });

  /** A server that is down, and the requests it got. */
  async function givenServerThatIsDown() {
    let requests = 0;
    const server = createServer((_request, response) => {
      requests++;
      response.writeHead(503).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return {
      uri: `http://127.0.0.1:${port}/text`,
      requests: () => requests,
      close: () => new Promise((resolve) => server.close(resolve)),
    };
  }
  async function givenSource(count = 12) {
    const no = ++names;
    const [source, dest, alias] = [`source-${no}`, `dest-${no}`, `alias-${no}`];
    const index = await givenIndex(database.db, source, { alias });
    const loaded = await rig.run('upsert', { index: alias, items: items(count) });
    expect(loaded.data.written).toBe(count);
    return { index, source, dest, alias };
  }
  const idsIn = async (name: string) => {
    const index = await findIndex(database.db, name);
    if (!index) throw new Error(`there is no ${name}`);
    return (await listObjects(database.db, index, { after: null, limit: 100 })).objects.map(({ id }) => id);
  };
  /** Ends as exhausted, for Temporal too; with one error for each attempt, after its tries and a back-off. */
  async function expectExhausted(
    handle: WorkflowHandle,
    { stage, type, triesSeconds }: { stage: string | undefined; type: string; triesSeconds: number },
  ): Promise<Tracker> {
    await expect(handle.result()).rejects.toMatchObject({
      cause: { type: 'TaskExhausted', nonRetryable: true, details: [{ status: 'exhausted', attempts: 3 }] },
    });
    const tracker = await endOf(handle);
    expect(tracker).toMatchObject({ status: 'exhausted', attempts: 3, maxAttempts: 3, lock: null });
    expect(tracker.errors.map((error) => [error.attempt, error.stage, error.type])).toEqual([
      [3, stage, type],
      [2, stage, type],
      [1, stage, type],
    ]);
    const [last, middle, first] = tracker.errors.map(({ time }) => Date.parse(time));
    expect(Number(middle) - Number(first)).toBeGreaterThanOrEqual((triesSeconds + 10) * 1_000);
    expect(Number(last) - Number(middle)).toBeGreaterThanOrEqual((triesSeconds + 20) * 1_000);
    return tracker;
  }

  describe('load', () => {
    test('an object whose URI does not load in ten tries fails alone, and the others are written', async () => {
      const server = await givenServerThatIsDown();
      await givenIndex(database.db, 'loading');
      const handle = await rig.start('upsert', {
        index: 'loading',
        items: [...items(9), { id: 'far', uri: server.uri }],
      });
      expect(await endOf(handle)).toMatchObject({ status: 'done', attempts: 1, data: { written: 9, failed: 1 } });
      expect(server.requests()).toBe(10);
      expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
      expect(await listFailed(database.db, handle.workflowId, { after: null, limit: 10 })).toMatchObject([
        { objectId: 'far', stage: 'load', reason: 'LoadFailed', detail: expect.stringContaining('503') },
      ]);
      expect(await idsIn('loading')).toEqual(items(9).map(({ id }) => id));
      await server.close();
    });

    test('a URI that does not load exhausts the attempts, ten tries each, where no object may fail', async () => {
      const server = await givenServerThatIsDown();
      await givenIndex(database.db, 'strict');
      const handle = await rig.start('upsert', {
        index: 'strict',
        items: [...items(9), { id: 'far', uri: server.uri }],
        ignoreFailedItems: false,
      });
      const tracker = await expectExhausted(handle, { stage: undefined, type: 'TooManyFailed', triesSeconds: 0 });
      expect(tracker.data).toMatchObject({ written: 9, failed: 1 });
      expect(server.requests()).toBe(30);
      expect(await listFailed(database.db, handle.workflowId, { after: null, limit: 10 })).toMatchObject([
        { objectId: 'far', stage: 'load' },
      ]);
      expect(await idsIn('strict')).toEqual(items(9).map(({ id }) => id));
      await server.close();
    });
  });

  // Splitting has no such test: its errors are not transient. A text without parts fails its object immediately.

  describe('embed', () => {
    /** Waits until the reindex is paused; nobody's writes are blocked, and the source serves. */
    async function expectPaused(handle: WorkflowHandle, { alias, source }: { alias: string; source: string }) {
      await environment.sleep('10 minutes');
      const tracker = await trackerWhen(handle, ({ status }) => status === 'paused');
      expect(tracker.detail).toContain('ModelUnavailable: nobody there');
      expect(tracker.detail).toContain(`/v1/tasks/resume?taskId=${handle.workflowId}`);
      expect(tracker).toMatchObject({ attempts: 1, errors: [{ type: 'ModelUnavailable' }] });
      expect(await listAliases(database.db)).toContainEqual({ alias, index: source });
      return tracker;
    }

    test('a model that is down when a reindex begins pauses it with the reason, and resume continues it', async () => {
      const { source, dest, alias } = await givenSource();
      isDown = (_texts, dimensions) => dimensions === 16;
      const handle = await rig.start('reindex', { source: alias, dest, destModel });
      await expectPaused(handle, { alias, source });
      expect(calls).toBe(10);
      isDown = () => false;
      await handle.signal('resume');
      expect(await endOf(handle)).toMatchObject({ status: 'done', attempts: 1, data: { copied: 12 } });
      expect(await listLocks(database.db)).toEqual([]);
      expect(await listAliases(database.db)).toContainEqual({ alias, index: dest });
    });

    test('a model that goes down during the copy pauses the reindex, which continues from there', async () => {
      const { source, dest, alias } = await givenSource();
      // The model is asked for two texts, then a batch of four is embedded.
      isDown = (texts, dimensions) => dimensions === 16 && embedded.push(...texts) > 6;
      const embedded: string[] = [];
      const handle = await rig.start('reindex', { source: alias, dest, destModel, batchSize: 4, concurrency: 1 });
      await expectPaused(handle, { alias, source });
      const copied = (await idsIn(dest)).length;
      expect(copied).toBe(4);
      isDown = (texts, dimensions) => dimensions === 16 && embedded.push(...texts) < 0;
      embedded.length = 0;
      await handle.signal('resume');
      expect(await endOf(handle)).toMatchObject({ status: 'done', attempts: 1, data: { copied: 12 } });
      // Before the switch, it is asked for the two texts again.
      expect(embedded).toHaveLength(12 - copied + 2);
    });
  });

  describe('write', () => {
    test('a database that refuses to write exhausts an upsert, and with force it runs again', async () => {
      const index = await givenIndex(database.db, 'full');
      const disk = await fillDisk(database.db, index.no);
      const handle = await rig.start('upsert', { index: 'full', items: items(3) });
      const { errors } = await expectExhausted(handle, {
        stage: 'writeChunk',
        type: 'DatabaseUnavailable',
        triesSeconds: TEN_TRIES_SECONDS,
      });
      expect(errors[0]?.message).toContain('No space left on device');
      // A small write is tried once within the workflow task, then ten times as an activity.
      expect(await disk.refusals()).toBe(3 * 11);
      expect(await idsIn('full')).toEqual([]);
      await disk.mend();
      await restartTask(environment.client, handle.workflowId, { force: true });
      const restarted = environment.client.workflow.getHandle(handle.workflowId);
      expect(await endOf(restarted)).toMatchObject({ status: 'done', attempts: 4, data: { written: 3 } });
      expect(await idsIn('full')).toEqual(['k0', 'k1', 'k2']);
    });

    test('a database that refuses to write exhausts a reindex; the source serves, and no lock is left', async () => {
      const { source, dest, alias } = await givenSource();
      const disk = await fillDisk(database.db, (await givenIndex(database.db, dest)).no);
      const handle = await rig.start('reindex', { source: alias, dest });
      const { errors } = await expectExhausted(handle, {
        stage: 'reindexSlice',
        type: 'TaskExhausted',
        triesSeconds: TEN_TRIES_SECONDS,
      });
      expect(errors[0]?.message).toContain('No space left on device');
      expect(await disk.refusals()).toBe(3 * 10);
      expect(await listLocks(database.db)).toEqual([]);
      expect(await listAliases(database.db)).toContainEqual({ alias, index: source });
      await disk.mend();
      expect(await rig.run('reindex', { source: alias, dest })).toMatchObject({ status: 'done', data: { copied: 12 } });
    });
  });
});
