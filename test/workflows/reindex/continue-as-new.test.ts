import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listAliases } from '../../../src/store/aliases.ts';
import { listLocks } from '../../../src/store/protocol/locks.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../../support/rig.ts';

const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;

describe('a task with a long history continues as a new run', () => {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let rig: Rig;

  beforeAll(async () => {
    [environment, database] = await Promise.all([
      // The server suggests it after so few events that every task of some length does it.
      startTemporal('dev', { dynamicConfig: ['limit.historyCount.suggestContinueAsNew=40'] }),
      openPostgresDatabase(),
    ]);
    rig = await startRig({ environment, db: database.db, settings: { sliceObjects: 500 } });
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await database?.close();
  });

  async function givenObjects(name: string, count: number) {
    await givenIndex(database.db, name, { alias: `${name}-alias` });
    const items = Array.from({ length: count }, (_, at) => ({ id: `k${at}`, payload: `text ${at}` }));
    await rig.run('upsert', { index: name, items });
    return `${name}-alias`;
  }

  test('as a reindex with many slices, with the same lock, attempt and pause', async () => {
    const alias = await givenObjects('a', 3_500);
    const handle = await rig.start('reindex', { source: alias, dest: 'b', destModel, concurrency: 1 });
    const { runId } = await handle.describe();
    await trackerWhen(handle, ({ children }) => (children.done ?? 0) >= 1);
    await handle.signal('pause');
    const paused = await trackerWhen(handle, ({ status }) => status === 'paused');
    await handle.signal('resume');
    const tracker = await endOf(handle);
    expect(tracker).toMatchObject({ status: 'done', attempts: 1, maxAttempts: 3, createTime: paused.createTime });
    expect(tracker.links.runId).not.toBe(runId);
    expect(await listAliases(database.db)).toContainEqual({ alias, index: 'b' });
    expect(await listLocks(database.db)).toEqual([]);
  });

  test('as a reindex that builds its HNSW index on a half and lets it grow with the rest', async () => {
    const alias = await givenObjects('f', 4_000);
    const input = { source: alias, dest: 'g', destModel, concurrency: 1, indexBuild: 'split' } as const;
    const handle = await rig.start('reindex', input);
    const { runId } = await handle.describe();
    const tracker = await endOf(handle);
    expect(tracker).toMatchObject({
      ...{ status: 'done', attempts: 1, progress: { done: 4_000 } },
      data: { copied: 4_000, verified: { dest: 4_000 }, indexStrategy: { asked: 'split', chosen: 'split' } },
    });
    expect(tracker.links.runId).not.toBe(runId);
    expect(await listAliases(database.db)).toContainEqual({ alias, index: 'g' });
  });

  test.each([
    ['each second', 1],
    ['once in a week', 604_800],
  ])('as a reindex that waits for another one, which cancel still ends, and tries %s', async (_often, waitSeconds) => {
    const name = `c${waitSeconds}`;
    const alias = await givenObjects(name, 50);
    const slow = { ratePerSecond: 1, batchSize: 1 };
    const first = await rig.start('reindex', { source: alias, dest: `${name}-d`, destModel, ...slow });
    await trackerWhen(first, ({ data }) => data.phase === 'copy');
    const second = await rig.start('reindex', { source: alias, dest: `${name}-e`, destModel, waitSeconds });
    const { runId } = await second.describe();
    await trackerWhen(second, ({ links }) => links.runId !== runId);
    await second.signal('cancel', 'waited long enough');
    expect(await endOf(second)).toMatchObject({ status: 'canceled', detail: 'canceled: waited long enough' });
    await first.signal('cancel');
    expect(await endOf(first)).toMatchObject({ status: 'canceled' });
    expect(await listLocks(database.db)).toEqual([]);
  });
});
