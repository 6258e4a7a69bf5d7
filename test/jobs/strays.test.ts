import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CliProcess } from '../cli/support.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { type Rig, startRig, startTemporal } from '../support/rig.ts';

let environment: TestWorkflowEnvironment;
let database: TestDatabase;
let rig: Rig;
let worker: CliProcess;

beforeAll(async () => {
  [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
  rig = await startRig({ environment, db: database.db });
  const tasks = fileURLToPath(new URL('./fixtures/strays.ts', import.meta.url));
  worker = new CliProcess(['worker', '--role', 'jobs', '--tasks', tasks], {
    TEMPORAL_ADDRESS: environment.address,
    TEMPORAL_NAMESPACE: environment.namespace ?? 'default',
    REEMBED_TASK_QUEUE: rig.taskQueue,
  });
  await worker.prints(/worker runs/);
});
afterAll(async () => {
  await worker?.ends('SIGKILL');
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
});

const run = (way: string, ms: number, isolate: 'none' | 'thread' | 'process' = 'none') =>
  rig.run('job', { name: 'stray', input: { way, ms }, isolate });

describe('an unhandled error of a handler', () => {
  test.each(['rejection', 'exception', 'event', 'promise'])('fails only its own attempt: %s', async (way) => {
    const [failed, other] = await Promise.all([run(way, 20_000), run('none', 500)]);
    expect(failed).toMatchObject({ status: 'exhausted', errors: [{ type: 'Error', message: way }] });
    expect(other).toMatchObject({ status: 'done' });
    expect(worker.child.exitCode).toBeNull();
  });

  test.each(['thread', 'process'] as const)('fails its attempt in its own %s', async (isolate) => {
    expect(await run('rejection', 20_000, isolate)).toMatchObject({ errors: [{ message: 'rejection' }] });
    expect(await run('none', 10, isolate)).toMatchObject({ status: 'done' });
  });

  test('changes nothing after the attempt is over, and the process continues', async () => {
    expect(await run('rejection', 0)).toMatchObject({ status: 'done', data: { result: 'ended' } });
    await worker.prints(/unhandled error, from a job whose attempt is over/);
    expect(await run('none', 10)).toMatchObject({ status: 'done' });
    expect(worker.child.exitCode).toBeNull();
  });
});
