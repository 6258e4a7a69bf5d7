import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CliProcess } from '../cli/support.ts';
import { buildInto } from '../support/build.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { type Rig, startRig, startTemporal } from '../support/rig.ts';

/** Written by a user of the package, in JavaScript. */
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

/** The first example of the guide to jobs, unchanged. */
const EXAMPLE = readFileSync(new URL('../../docs/jobs.md', import.meta.url), 'utf8')
  .split('```ts\n')[1]
  ?.split('```')[0];

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

  test.each(['thread', 'process'] as const)('ends a %s after its timeout', async (isolate) => {
    const job = { name: 'blocking', input: { ms: 600_000 }, isolate, timeout: '1s', maxAttempts: 1 } as const;
    expect(await rig.run('job', job)).toMatchObject({ status: 'exhausted', errors: [{ type: 'TaskTimeout' }] });
  });
});

describe.each([
  ['CommonJS, as npm init makes it', '{"name":"app","type":"commonjs"}'],
  ['CommonJS by default', '{"name":"app"}'],
  ['ES modules', '{"name":"app","type":"module"}'],
])('a package of %s', (_kind, packageJson) => {
  test.each([
    ['the first example of the guide, in TypeScript', 'mail.ts', EXAMPLE, 'send-mail'],
    ['a task in JavaScript with import', 'plain.js', TASKS, 'blocking'],
  ])('loads %s', async (_what, file, text, name) => {
    const app = mkdtempSync(path.join(tmpdir(), 'reembed-app-'));
    try {
      mkdirSync(path.join(app, 'node_modules'));
      symlinkSync(folder, path.join(app, 'node_modules/reembed'));
      symlinkSync(path.join(folder, 'node_modules/zod'), path.join(app, 'node_modules/zod'));
      writeFileSync(path.join(app, 'package.json'), packageJson);
      mkdirSync(path.join(app, 'tasks'));
      writeFileSync(path.join(app, 'tasks', file), text ?? '');
      const load = JSON.stringify(path.join(folder, 'dist/jobs/load.js'));
      const program = `const { loadTasks } = await import(${load}); console.log((await loadTasks(['tasks'])).registry.tasks.map(({ name }) => name).join());`;
      const args = ['--input-type=module', '--eval', program];
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: app });
      expect(stdout.trim()).toBe(name);
    } finally {
      rmSync(app, { recursive: true, force: true });
    }
  });
});
