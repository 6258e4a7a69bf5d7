import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CliProcess } from '../cli/support.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { endOf, type Rig, startRig, startTemporal, trackerWhen } from '../support/rig.ts';

let environment: TestWorkflowEnvironment;
let database: TestDatabase;
let rig: Rig;
let folder: string;
let worker: CliProcess;

beforeAll(async () => {
  [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
  rig = await startRig({ environment, db: database.db });
  folder = mkdtempSync(path.join(tmpdir(), 'reembed-stopped-'));
  await startWorker();
});
afterAll(async () => {
  await worker?.ends('SIGKILL');
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function startWorker(): Promise<void> {
  const tasks = fileURLToPath(new URL('./fixtures/tasks.ts', import.meta.url));
  worker = new CliProcess(['worker', '--role', 'jobs', '--tasks', tasks], {
    TEMPORAL_ADDRESS: environment.address,
    TEMPORAL_NAMESPACE: environment.namespace ?? 'default',
    REEMBED_TASK_QUEUE: rig.taskQueue,
    REEMBED_SHUTDOWN_SECONDS: '1',
    RUNS: folder,
  });
  await worker.prints(/worker runs/);
}

const notes = (key: string) => {
  const file = path.join(folder, `${key}.log`);
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
};

test('a job whose worker is stopped by a deployment runs again on the next worker, in the same attempt', async () => {
  const handle = await rig.start('job', { name: 'parallel', input: { key: 'deploy' }, maxAttempts: 1 });
  for (let stops = 1; stops <= 2; stops++) {
    while (notes('deploy').length < stops) await delay(50);
    expect(await worker.ends('SIGTERM')).toBe(0);
    await trackerWhen(handle, ({ detail }) => /was stopped; waits for another worker/.test(detail));
    await startWorker();
  }
  while (notes('deploy').length < 3) await delay(50);
  writeFileSync(path.join(folder, 'deploy.go'), '');
  expect(await endOf(handle)).toMatchObject({ status: 'done', attempts: 1, errors: [] });
  expect(notes('deploy').map((note) => note.split(' ')[0])).toEqual(['start', 'start', 'start', 'end']);
});
