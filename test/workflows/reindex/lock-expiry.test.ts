import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listAliases } from '../../../src/store/aliases.ts';
import { findIndex } from '../../../src/store/indexes.ts';
import { listObjects } from '../../../src/store/objects.ts';
import { writeCopies } from '../../../src/store/protocol/copy.ts';
import { listLocks, renewLock } from '../../../src/store/protocol/locks.ts';
import { content } from '../../store/builders.ts';
import { givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../../support/rig.ts';
import { type DatabaseWithClock, openDatabaseWithClock } from '../support/clock.ts';
import { createSlowModel } from '../support/slow-model.ts';

const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;
const items = Array.from({ length: 20 }, (_, at) => ({ id: `k${at}`, payload: `text ${at}` }));
const MINUTE_MS = 60_000;

describe('the lock of a reindex, with the clocks of both servers running ahead together', () => {
  let environment: TestWorkflowEnvironment;
  let database: DatabaseWithClock;
  let rig: Rig;
  let names = 0;
  const model = createSlowModel(16);

  beforeAll(async () => {
    [environment, database] = await Promise.all([startTemporal('time-skipping'), openDatabaseWithClock()]);
    rig = await startRig({ environment, db: database.db, embedder: model.embedder });
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await database?.close();
  });

  /** The database first: a lock that has expired by the workflows' clock has expired by the database's. */
  async function pass(minutes: number): Promise<void> {
    for (let minute = 0; minute < minutes; minute++) {
      await database.advance(MINUTE_MS);
      await environment.sleep(MINUTE_MS);
    }
  }

  /**
   * A reindex that holds the lock and is paused before it copies: while an activity runs, the clock of the test server
   * stands still.
   */
  async function givenPaused(options: { lockSeconds?: number } = {}) {
    const no = ++names;
    const [source, dest, alias] = [`source-${no}`, `dest-${no}`, `alias-${no}`];
    await givenIndex(database.db, source, { alias });
    expect(await rig.run('upsert', { index: alias, items })).toMatchObject({ data: { written: 20 } });
    const held = model.holdBack(/^hello$/);
    const handle = await rig.start('reindex', { source: alias, dest, destModel, ...options });
    await held.asked;
    await handle.signal('pause');
    held.release();
    const { lock } = await trackerWhen(handle, ({ status, children }) => status === 'paused' && children.pending === 1);
    return { dest, alias, handle, lock: lock as string };
  }
  const locksOf = async (taskId: string) => (await listLocks(database.db)).filter((lock) => lock.taskId === taskId);
  const countIn = async (name: string) => {
    const index = await findIndex(database.db, name);
    if (!index) throw new Error(`there is no ${name}`);
    return (await listObjects(database.db, index, { after: null, limit: 100 })).objects.length;
  };

  test.each([
    ['the usual fifteen minutes', undefined, 15],
    ['half an hour', 1_800, 30],
  ] as const)(
    'expires after %s when its task was terminated, and a waiting reindex then runs by itself',
    async (_what, lockSeconds, minutes) => {
      const { dest, alias, handle, lock } = await givenPaused({ lockSeconds });
      await handle.terminate('nobody is left to give the lock back');
      const abandoned = await findIndex(database.db, dest);
      const next = await rig.start('reindex', { source: alias, dest: `${dest}-next`, destModel });
      expect(await trackerWhen(next, ({ status }) => status === 'waiting')).toMatchObject({
        data: { conflict: 'source-locked-as-source' },
        detail: expect.stringContaining(handle.workflowId),
      });
      await pass(minutes - 2);
      expect(await trackerWhen(next, ({ status }) => status === 'waiting')).toMatchObject({ attempts: 1 });
      await pass(4);
      expect(await trackerWhen(next, ({ status }) => status === 'done')).toMatchObject({
        attempts: 1,
        data: { copied: 20 },
      });
      expect(await listAliases(database.db)).toContainEqual({ alias, index: `${dest}-next` });
      expect(await listLocks(database.db)).toEqual([]);

      // A copier that still works under the lock that was taken over gets an error and writes nothing.
      const late = writeCopies(database.db, lock, abandoned?.no ?? 0, [content('late', 1_000_000)]);
      await expect(late).rejects.toMatchObject({ type: 'LockLost' });
      await expect(renewLock(database.db, lock, 900)).rejects.toMatchObject({ type: 'LockLost' });
      expect(await countIn(dest)).toBe(0);
    },
  );

  test('is renewed while its task lives, even paused for an hour, and others wait', async () => {
    const { dest, alias, handle, lock } = await givenPaused();
    const next = await rig.start('reindex', { source: alias, dest: `${dest}-next`, destModel });
    await trackerWhen(next, ({ status }) => status === 'waiting');
    await pass(60);
    expect(await locksOf(handle.workflowId)).toMatchObject([{ lock }]);
    expect(await trackerWhen(next, ({ status }) => status === 'waiting')).toMatchObject({ attempts: 1 });
    await next.signal('cancel');
    await handle.signal('resume');
    const done = await trackerWhen(handle, ({ status }) => status === 'done');
    expect(done).toMatchObject({ attempts: 1, data: { copied: 20 } });
    await trackerWhen(next, ({ status }) => status === 'canceled');
    expect(await listAliases(database.db)).toContainEqual({ alias, index: dest });
  });
});
