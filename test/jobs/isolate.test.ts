import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobInput } from '../../src/contract/workflow-inputs.ts';
import { createIsolation } from '../../src/jobs/isolation-pool.ts';
import { loadTasks } from '../../src/jobs/load.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { type Rig, startRig, startTemporal } from '../support/rig.ts';

let environment: TestWorkflowEnvironment;
let database: TestDatabase;
let rig: Rig;

beforeAll(async () => {
  [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
  const tasks = await loadTasks([fileURLToPath(new URL('./fixtures/blocking.ts', import.meta.url))]);
  const namespace = environment.namespace ?? 'default';
  const temporal = { connection: { address: environment.address }, namespace, encryptionKeys: [] };
  rig = await startRig({ environment, db: database.db, jobs: { ...tasks, temporal, concurrency: 2 } });
});
afterAll(async () => {
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
});

const run = (job: JobInput) => rig.run('job', job);

describe.each(['thread', 'process'] as const)('a handler in its own %s', (isolate) => {
  test('blocks no other job, and its result is returned', async () => {
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 20);
    const tracker = await run({ name: 'blocking', input: { ms: 1_500 }, isolate });
    clearInterval(ticking);
    expect(tracker).toMatchObject({ status: 'done' });
    const result = tracker.data.result as { pid: number; isMainThread: boolean; uuid: string };
    expect(result).toMatchObject({ uuid: tracker.id, isMainThread: isolate === 'process' });
    expect(result.pid === process.pid).toBe(isolate === 'thread');
    expect(ticks).toBeGreaterThan(20);
  });

  test('is ended after its timeout, even if it ignores the signal', async () => {
    expect(await run({ name: 'blocking', input: { ms: 600_000 }, isolate, timeout: '3s' })).toMatchObject({
      status: 'exhausted',
      errors: [{ type: 'TaskTimeout' }],
    });
  });

  test('reports its own errors', async () => {
    const tracker = await run({ name: 'failing', input: { ms: 0 }, isolate });
    expect(tracker).toMatchObject({
      status: 'failed',
      errors: [{ type: 'NonRetryableError', message: 'not in here either' }],
    });
    expect(tracker.errors[0]?.stack).toContain('blocking.ts');
  });

  test('counts as a lost worker when it exits, and the others continue', async () => {
    expect(await run({ name: 'dying', input: { ms: 0 }, isolate })).toMatchObject({
      status: 'exhausted',
      errors: [{ type: 'WorkerLost' }],
    });
    expect(await run({ name: 'blocking', input: { ms: 1 }, isolate })).toMatchObject({ status: 'done' });
  });
});

describe.each(['thread', 'process'] as const)('a %s that cannot start', (kind) => {
  test('immediately fails the jobs that wait for it, but not those that run', async () => {
    const isolation = createIsolation({
      modules: [fileURLToPath(new URL('./fixtures/blocking.ts', import.meta.url))],
      temporal: { connection: {}, encryptionKeys: [], namespace: 'default', taskQueue: 'nowhere' },
      max: 2,
      onProblem: () => {},
    });
    const job = (ms: number) => ({ name: 'blocking', input: { ms }, bind: true, uuid: 'a', workerId: 'w', attempt: 1 });
    const never = new AbortController().signal;
    const running = isolation.run(kind, job(4_000), never);
    await delay(2_500);
    // It is read when a thread or process starts: this file does not exist.
    process.env.TSX_TSCONFIG_PATH = '/nowhere/tsconfig.json';
    try {
      await expect(isolation.run(kind, job(1), never)).rejects.toMatchObject({ type: 'WorkerLost' });
      expect(await running).toMatchObject({ uuid: 'a' });
    } finally {
      delete process.env.TSX_TSCONFIG_PATH;
      await isolation.close();
    }
  });
});
