import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Tracker } from '../../src/contract/tasks.ts';
import { CliProcess } from '../cli/support.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { endOf, type Rig, startRig, startTemporal } from '../support/rig.ts';
import { uniqueName } from './support.ts';

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

type Answer = { id: string; status: Tracker['status']; duplicateOf?: string };

let environment: TestWorkflowEnvironment;
let database: TestDatabase;
let rig: Rig;
let folder: string;
let env: Record<string, string>;
let worker: CliProcess;
const senders: ChildProcess[] = [];

beforeAll(async () => {
  [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
  rig = await startRig({ environment, db: database.db });
  folder = mkdtempSync(path.join(tmpdir(), 'reembed-jobs-'));
  env = {
    TEMPORAL_ADDRESS: environment.address,
    TEMPORAL_NAMESPACE: environment.namespace ?? 'default',
    REEMBED_TASK_QUEUE: rig.taskQueue,
    RUNS: folder,
  };
  for (let count = 0; count < 3; count++) {
    senders.push(fork(fixture('sender.ts'), { execArgv: ['--import', TSX], env: { ...process.env, ...env } }));
  }
  await Promise.all([...senders.map((sender) => once(sender, 'message')), startWorker()]);
});
afterAll(async () => {
  for (const sender of senders) sender.kill();
  await worker?.ends('SIGKILL');
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A worker process, started as users start it. */
async function startWorker(): Promise<void> {
  worker = new CliProcess(['worker', '--role', 'jobs', '--tasks', fixture('tasks.ts')], env);
  await worker.prints(/worker runs/);
}

/** Kills the worker in the middle of its jobs, and starts another one. */
async function killWorker(): Promise<void> {
  await worker.ends('SIGKILL');
  await startWorker();
}

/** Sends jobs, by default 50, from three processes at once. */
async function send(task: string, key: string, counts = [17, 17, 16]): Promise<Answer[]> {
  const answers = counts.map(async (count, at) => {
    const sender = senders[at];
    if (!sender) throw new Error('there are three senders');
    sender.send({ task, key, count });
    const [sent] = (await once(sender, 'message')) as [Answer[]];
    return sent;
  });
  return (await Promise.all(answers)).flat();
}

const go = (key: string) => writeFileSync(path.join(folder, `${key}.go`), '');

/** Events of the handlers: `start` or `end`, and of which job. */
function runsOf(key: string): { what: string; id: string }[] {
  const file = path.join(folder, `${key}.log`);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => ({ what: line.split(' ')[0] ?? '', id: line.split(' ')[1] ?? '' }));
}

async function untilRuns(key: string, count: number): Promise<void> {
  while (runsOf(key).length < count) await new Promise((resolve) => setTimeout(resolve, 25));
}

/** Lets them run, waits for the end of all accepted jobs, and returns the trackers. */
async function finish(key: string, answers: Answer[]): Promise<Tracker[]> {
  go(key);
  const accepted = answers.filter(({ status }) => status !== 'ignored');
  return Promise.all(accepted.map(({ id }) => endOf(environment.client.workflow.getHandle(id))));
}

const ended = (key: string) =>
  runsOf(key)
    .filter(({ what }) => what === 'end')
    .map(({ id }) => id);

describe.each([false, true])(
  '50 jobs of one key from three processes, with a worker killed: %s',
  { timeout: 180_000 },
  (killed) => {
    test('parallel: all run, and each ends once', async () => {
      const key = uniqueName('parallel');
      const answers = await send('parallel', key);
      expect(answers.map(({ status }) => status)).toEqual(Array(50).fill('pending'));
      await untilRuns(key, 16);
      const begun = runsOf(key).map(({ id }) => id);
      if (killed) await killWorker();
      const trackers = await finish(key, answers);
      expect(new Set(trackers.map(({ status }) => status))).toEqual(new Set(['done']));
      expect(ended(key).sort()).toEqual(answers.map(({ id }) => id).sort());
      // A busy machine may lose more, since a heartbeat comes too late.
      const lost = trackers.filter(({ errors }) => errors[0]?.type === 'WorkerLost').map(({ id }) => id);
      if (killed) expect(lost).toEqual(expect.arrayContaining(begun));
    });

    test('discard: one runs, and the 49 others are its duplicates', async () => {
      const key = uniqueName('discard');
      const answers = await send('discard', key);
      await untilRuns(key, 1);
      if (killed) await killWorker();
      const [late] = await send('discard', key, [1]);
      const [holder, ...others] = await finish(key, answers);
      expect(others).toEqual([]);
      expect(holder).toMatchObject({ status: 'done', attempts: killed ? 2 : 1 });
      const standing = [...answers, late].filter((answer) => answer?.status === 'ignored');
      expect(standing).toHaveLength(50);
      expect(new Set(standing.map((answer) => answer?.duplicateOf))).toEqual(new Set([holder?.id]));
      expect(ended(key)).toEqual([holder?.id]);
    });

    test('serial: all run, one after the other, in the order of admission', async () => {
      const key = uniqueName('serial');
      const answers = await send('serial', key);
      await untilRuns(key, 1);
      if (killed) await killWorker();
      const behind = new Map<string, string>();
      for (const { id } of answers) {
        const { detail } = await environment.client.workflow.getHandle(id).query<Tracker>('tracker');
        const found = /waits for its turn behind (.*)/.exec(detail);
        if (found?.[1]) behind.set(found[1], id);
      }
      const trackers = await finish(key, answers);
      expect(trackers.map(({ status }) => status)).toEqual(Array(50).fill('done'));
      const runs = runsOf(key);
      const order = ended(key);
      expect([...order].sort()).toEqual(answers.map(({ id }) => id).sort());
      for (const [at, id] of order.entries()) {
        if (at > 0) expect(behind.get(order[at - 1] ?? '')).toBe(id);
      }
      // A killed handler has no end; its job keeps its turn, and runs again before any other.
      const whole = runs.filter(
        ({ what, id }, at) => !(what === 'start' && runs[at + 1]?.what === 'start' && runs[at + 1]?.id === id),
      );
      expect(whole.map(({ what, id }) => `${what} ${id}`)).toEqual(order.flatMap((id) => [`start ${id}`, `end ${id}`]));
      expect(runs.length - whole.length).toBe(killed ? 1 : 0);
    });

    test('queue_one: one runs, one waits, and the 48 others are duplicates of the waiting one', async () => {
      const key = uniqueName('queue-one');
      const answers = await send('queue_one', key);
      await untilRuns(key, 1);
      if (killed) await killWorker();
      const [late] = await send('queue_one', key, [1]);
      const trackers = await finish(key, answers);
      expect(trackers.map(({ status }) => status)).toEqual(['done', 'done']);
      const order = ended(key);
      expect([...order].sort()).toEqual(trackers.map(({ id }) => id).sort());
      const standing = [...answers, late].filter((answer) => answer?.status === 'ignored');
      expect(standing).toHaveLength(49);
      expect(new Set(standing.map((answer) => answer?.duplicateOf))).toEqual(new Set([order[1]]));
    });
  },
);
