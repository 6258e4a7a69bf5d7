import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CliProcess } from '../cli/support.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { type Rig, startRig, startTemporal } from '../support/rig.ts';
import { buildInto } from '../torture/build.ts';

/** What a user of the package writes, in JavaScript. */
const TASKS = `
import { isMainThread } from 'node:worker_threads';
import { defineTask } from 'reembed/jobs';
import { z } from 'zod';

const input = z.object({ ms: z.int() });
export const blocking = defineTask({ name: 'blocking', input, bind: true }, ({ uuid }, { ms }) => {
  for (const endMs = Date.now() + ms; Date.now() < endMs; );
  return { uuid, pid: process.pid, isMainThread };
});
`;

let environment: TestWorkflowEnvironment;
let database: TestDatabase;
let rig: Rig;
let folder: string;
let worker: CliProcess;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'reembed-built-'));
  [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
  rig = await startRig({ environment, db: database.db });
  const main = await buildInto(folder);
  mkdirSync(path.join(folder, 'tasks'));
  writeFileSync(path.join(folder, 'tasks/blocking.js'), TASKS);
  const env = {
    TEMPORAL_ADDRESS: environment.address,
    TEMPORAL_NAMESPACE: environment.namespace ?? 'default',
    REEMBED_TASK_QUEUE: rig.taskQueue,
  };
  worker = new CliProcess(['worker', '--role', 'jobs', '--tasks', path.join(folder, 'tasks')], env, [main]);
  await worker.prints(/worker runs/);
}, 240_000);
afterAll(async () => {
  await worker?.ends('SIGTERM');
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('a worker of the built package', () => {
  test.each(['none', 'thread', 'process'] as const)('runs a job isolated by: %s', async (isolate) => {
    const tracker = await rig.run('job', { name: 'blocking', input: { ms: 50 }, isolate });
    const isMainThread = isolate !== 'thread';
    expect(tracker).toMatchObject({ status: 'done', data: { result: { uuid: tracker.id, isMainThread } } });
    const { pid } = tracker.data.result as { pid: number };
    expect(pid === worker.child.pid).toBe(isolate !== 'process');
  });

  test.each(['thread', 'process'] as const)('ends a %s whose time is over', async (isolate) => {
    const job = { name: 'blocking', input: { ms: 600_000 }, isolate, timeout: '1s', maxAttempts: 1 } as const;
    expect(await rig.run('job', job)).toMatchObject({ status: 'exhausted', errors: [{ type: 'TaskTimeout' }] });
  });
});
