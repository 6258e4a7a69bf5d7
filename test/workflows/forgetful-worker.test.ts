import { setTimeout as delay } from 'node:timers/promises';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { type AnyTask, createRegistry, defineTask, type SentJob } from '../../src/jobs/index.ts';
import { workflowBundle } from '../support/bundle.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { replay } from '../support/replay.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../support/rig.ts';
import type { History } from '../support/sdk-internals.ts';

// Without a cache, a workflow task that a signal interrupts may run into its timeout of ten seconds.
vi.setConfig({ testTimeout: 240_000 });

const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;
describe('a worker without a workflow cache, which replays each workflow at every task, runs', () => {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let rig: Rig;
  const tasks: AnyTask[] = [];

  beforeAll(async () => {
    [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
    const registry = createRegistry();
    const input = z.object({ ms: z.int() });
    for (const onDuplicate of ['parallel', 'discard', 'serial', 'queue_one'] as const) {
      const definition = { registry, name: onDuplicate, input, onDuplicate, backOff: { initial: '100ms' } } as const;
      tasks.push(defineTask(onDuplicate === 'parallel' ? definition : { ...definition, key: () => 'one' }, work));
    }
    rig = await startRig({ environment, db: database.db, maxCachedWorkflows: 0, jobs: { registry } });
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await database?.close();
  });

  let failsNext = true;
  async function work({ ms }: { ms: number }): Promise<number> {
    await delay(ms);
    failsNext = !failsNext;
    if (failsNext) throw new RangeError('every other one fails');
    return ms;
  }

  const checked = new Set<string>();

  /** No workflow task has failed, and all workflows since the last call can be replayed from their current histories. */
  async function expectNoFault(): Promise<void> {
    const histories: { workflowId: string; history: History }[] = [];
    for await (const { workflowId, runId, type } of environment.client.workflow.list()) {
      if (checked.has(runId)) continue;
      const history = await environment.client.workflow.getHandle(workflowId, runId).fetchHistory();
      const failures = (history.events ?? [])
        .map(({ workflowTaskFailedEventAttributes: failed }) => failed?.failure?.message)
        .filter((message) => message?.includes('TMPRL1100'));
      expect([type, workflowId, failures]).toEqual([type, workflowId, []]);
      histories.push({ workflowId, history });
      checked.add(runId);
    }
    const replayed = await replay(await workflowBundle(), histories);
    expect(replayed).toHaveLength(histories.length);
    expect(replayed.filter(({ error }) => error)).toEqual([]);
    expect(replayed.length).toBeGreaterThan(0);
  }

  async function givenObjects(name: string, count: number): Promise<string> {
    await givenIndex(database.db, name, { alias: `${name}-alias` });
    const items = Array.from({ length: count }, (_, at) => ({ id: `k${at}`, payload: `text ${at}` }));
    expect(await rig.run('upsert', { index: name, items })).toMatchObject({ status: 'done' });
    return `${name}-alias`;
  }

  test('small and large writes, deletes, and signals that steer them', async () => {
    const alias = await givenObjects('a', 1_003);
    const writes = Array.from({ length: 4 }, (_, at) =>
      rig.start('upsert', { index: alias, items: [{ id: `k${at}`, payload: 'changed' }] }),
    );
    for (const write of writes) {
      const handle = await write;
      // It may have ended before.
      for (const signal of ['pause', 'resume']) await handle.signal(signal).catch(() => {});
      expect(await endOf(handle)).toMatchObject({ status: 'done' });
    }
    expect(await rig.run('delete', { index: alias, ids: ['k1', 'k2'] })).toMatchObject({ status: 'done' });
    const steered = await rig.run('steer', { action: 'cancel', filter: { taskIds: ['nobody'] } });
    expect(steered).toMatchObject({ status: 'done' });
    await expectNoFault();
  });

  test('a reindex during writes that is paused, throttled and resumed, a canceled one, a later deletion', async () => {
    const alias = await givenObjects('b', 200);
    const slow = { ratePerSecond: 2, batchSize: 2, lockSeconds: 10, concurrency: 2 };
    const retire = { after: '2s', keepCurrent: true } as const;
    const handle = await rig.start('reindex', { source: alias, dest: 'c', destModel, ...slow, retire });
    await trackerWhen(handle, ({ children }) => children.processing === 1);
    await handle.signal('pause');
    await rig.run('upsert', { index: alias, items: [{ id: 'k1', payload: 'changed while it is paused' }] });
    await handle.signal('resume');
    await rig.run('upsert', { index: alias, items: [{ id: 'k2', payload: 'changed while it copies' }] });
    await handle.signal('throttle', null);
    expect(await endOf(handle)).toMatchObject({ status: 'done', attempts: 1 });
    const other = await givenObjects('e', 200);
    const canceled = await rig.start('reindex', { source: other, dest: 'f', destModel, ...slow });
    await trackerWhen(canceled, ({ data }) => data.phase === 'copy');
    await canceled.signal('cancel', 'enough');
    expect(await endOf(canceled)).toMatchObject({ status: 'canceled' });
    await expectNoFault();
  });

  test('jobs with every duplicate rule, with failures, restarts, pauses and cancels', async () => {
    const sent: SentJob<unknown>[] = [];
    for (const task of tasks) {
      const jobs = await Promise.all(Array.from({ length: 8 }, () => task.applyAsync({ ms: 30 })));
      sent.push(...jobs);
      const last = jobs.at(-1);
      await last?.pause().catch(() => {});
      await last?.resume().catch(() => {});
      await jobs[5]?.cancel().catch(() => {});
    }
    const ended = await Promise.all(sent.map((job) => job.wait()));
    expect(new Set(ended.map(({ status }) => status))).not.toContain('failed');
    expect(ended.filter(({ status }) => status === 'done').length).toBeGreaterThan(15);
    await expectNoFault();
  });
});
