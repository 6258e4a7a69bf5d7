import { describe, expect, test } from 'vitest';
import { listAliases } from '../../../src/store/aliases.ts';
import { findIndex } from '../../../src/store/indexes.ts';
import { getObject, listObjects } from '../../../src/store/objects.ts';
import { lockPair, releaseLock } from '../../../src/store/protocol/lock-pair.ts';
import { listLocks } from '../../../src/store/protocol/locks.ts';
import { endOf, givenIndex, trackerWhen } from '../../support/rig.ts';
import { rigOfFile } from '../../support/rig-of-file.ts';
import { destModel, givenPair, items } from './given.ts';

describe('a reindex, on a server whose clock runs ahead', () => {
  const given = rigOfFile('time-skipping');

  const givenSource = (count?: number) => givenPair(given.rig.db, given.rig, count);
  const aliasOf = async (alias: string) => (await listAliases(given.rig.db)).find((row) => row.alias === alias)?.index;

  /** Locks the pair as another task would. */
  async function givenLock(source: string, dest: string, lock: string) {
    const outcome = await lockPair(given.rig.db, {
      taskId: 'somebody-else',
      lock,
      lockSeconds: 3_600,
      source,
      dest,
      destModel,
      maxConcurrentReindexes: 10,
    });
    expect(outcome.kind).toBe('locked');
  }

  test('copies every object with its version, switches the alias and releases the lock', async () => {
    const { source, dest, alias } = await givenSource(300);
    await given.rig.run('delete', { index: alias, ids: ['k7'] });
    const tracker = await given.rig.run('reindex', { source: alias, dest, destModel });
    expect(tracker).toMatchObject({
      status: 'done',
      data: { copied: 299, tombstones: 1, failed: 0, source, dest, alias },
    });
    expect(await aliasOf(alias)).toBe(dest);
    expect(await listLocks(given.rig.db)).toEqual([]);
    const [from, to] = [await findIndex(given.rig.db, source), await findIndex(given.rig.db, dest)];
    if (!from || !to) throw new Error('an index is missing');
    expect(await getObject(given.rig.db, to, 'k8')).toEqual(await getObject(given.rig.db, from, 'k8'));
    await expect(getObject(given.rig.db, to, 'k7')).rejects.toMatchObject({ type: 'ObjectNotFound' });
  });

  test('copies a small source as one slice, planned together with the lock', async () => {
    const { dest, alias } = await givenSource(600);
    const handle = await given.rig.start('reindex', { source: alias, dest, destModel, batchSize: 100 });
    expect(await endOf(handle)).toMatchObject({ status: 'done', children: { done: 1 }, data: { copied: 600 } });
    const { events } = await handle.fetchHistory();
    const activities = events?.flatMap((event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? []);
    const lastSteps = ['buildVectorIndex', 'reconcile', 'verify', 'renewLock', 'cutOver'];
    expect(activities).toEqual(['lockPair', 'checkModel', ...lastSteps]);
  });

  test('waits on a conflict, and begins within seconds after the obstacle is gone', async () => {
    const { source, dest, alias } = await givenSource();
    const lock = '00000000-0000-4000-8000-000000000001';
    await givenLock(source, `${dest}-other`, lock);
    const handle = await given.rig.start('reindex', { source: alias, dest, destModel });
    const waiting = await trackerWhen(handle, ({ status }) => status === 'waiting');
    expect(waiting.data.conflict).toBe('source-locked-as-source');
    expect(waiting.detail).toContain('somebody-else');
    await given.rig.environment.sleep('10 minutes');
    expect(await trackerWhen(handle, ({ status }) => status === 'waiting')).toMatchObject({ attempts: 1 });
    const before = await given.rig.environment.currentTimeMs();
    await releaseLock(given.rig.db, lock);
    expect(await endOf(handle)).toMatchObject({ status: 'done', attempts: 1 });
    // The clock of the server may already be ahead: without open work, it jumps to the next timer.
    const { closeTime } = await handle.describe();
    expect((closeTime?.getTime() ?? Number.NaN) - before).toBeLessThan(5 * 60_000);
  });

  test.each(['restart', 'resume'])('%s while it waits makes it retry immediately', async (signal) => {
    const { source, dest, alias } = await givenSource();
    const lock = signal === 'restart' ? '00000000-0000-4000-8000-000000000002' : '00000000-0000-4000-8000-000000000004';
    await givenLock(source, `${dest}-other`, lock);
    const handle = await given.rig.start('reindex', { source: alias, dest, destModel, waitSeconds: 600_000 });
    await trackerWhen(handle, ({ status }) => status === 'waiting');
    await handle.signal(signal);
    const tries = async () => {
      const { events } = await handle.fetchHistory();
      return events?.filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'lockPair');
    };
    await expect.poll(tries, { timeout: 90_000 }).toHaveLength(2);
    await releaseLock(given.rig.db, lock);
    expect(await endOf(handle)).toMatchObject({ status: 'done' });
  });

  test('is refused on a conflict with onConflict refuse, and changes nothing', async () => {
    const { source, dest, alias } = await givenSource();
    const lock = '00000000-0000-4000-8000-000000000003';
    await givenLock(source, `${dest}-other`, lock);
    const handle = await given.rig.start('reindex', { source: alias, dest, destModel, onConflict: 'refuse' });
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'TaskRefused' } });
    expect(await endOf(handle)).toMatchObject({ status: 'refused', errors: [{ type: 'source-locked-as-source' }] });
    expect(await findIndex(given.rig.db, dest)).toBeUndefined();
    await releaseLock(given.rig.db, lock);
  });

  test('stops when it is canceled midway: the lock is released and the source serves', async () => {
    const { source, dest, alias } = await givenSource(200);
    const handle = await given.rig.start('reindex', {
      source: alias,
      dest,
      destModel,
      ratePerSecond: 5,
      batchSize: 10,
    });
    await trackerWhen(handle, ({ children }) => children.processing === 1);
    await handle.signal('cancel', 'changed my mind');
    expect(await endOf(handle)).toMatchObject({ status: 'canceled', detail: 'canceled: changed my mind', lock: null });
    expect((await handle.describe()).status.name).toBe('CANCELLED');
    expect(await listLocks(given.rig.db)).toEqual([]);
    expect(await aliasOf(alias)).toBe(source);
  });

  test('pauses between two batches, shows the progress of its slices, and continues when it is resumed', async () => {
    const { dest, alias } = await givenSource(300);
    const handle = await given.rig.start('reindex', {
      source: alias,
      dest,
      destModel,
      ratePerSecond: 20,
      batchSize: 10,
    });
    await trackerWhen(handle, ({ children }) => children.processing === 1);
    await handle.signal('pause');
    await trackerWhen(handle, ({ status }) => status === 'paused');
    const { progress, children } = await trackerWhen(handle, ({ progress }) => progress.done > 0);
    expect({ isMiddle: progress.done < 300, children }).toMatchObject({ isMiddle: true, children: { done: 0 } });
    await handle.signal('throttle', null);
    await handle.signal('resume');
    expect(await endOf(handle)).toMatchObject({ status: 'done', data: { copied: 300 }, progress: { done: 300 } });
  });

  test('obeys a pause that arrives before it begins or while it switches', async () => {
    const { source, dest, alias } = await givenSource();
    const handle = await given.rig.environment.client.workflow.signalWithStart('reindex', {
      workflowId: `paused-${source}`,
      taskQueue: given.rig.taskQueue,
      args: [{ source: alias, dest, destModel }],
      signal: 'pause',
      signalArgs: [],
    });
    await trackerWhen(handle, ({ status }) => status === 'paused');
    await handle.signal('resume');
    expect(await endOf(handle)).toMatchObject({ status: 'done', attempts: 1 });

    const other = await givenSource();
    const switching = await given.rig.start('reindex', { source: other.alias, dest: other.dest, destModel });
    await trackerWhen(switching, ({ data, status }) => data.phase === 'cut-over' || status === 'done');
    await switching.signal('pause').catch(() => {});
    await switching.signal('resume').catch(() => {});
    expect(await endOf(switching)).toMatchObject({ status: 'done' });
    expect(await aliasOf(other.alias)).toBe(other.dest);
  });

  describe('a reindex into an index that users have written to', () => {
    /** The source, and a destination with a newer object, a deletion and an object that the source does not have. */
    async function givenTrial() {
      const { source, dest, alias } = await givenSource(3);
      await givenIndex(given.rig.db, dest, { config: { model: destModel } });
      await given.rig.run('upsert', {
        index: dest,
        items: [
          { id: 'k1', payload: 'a trial' },
          { id: 'x', payload: 'a trial' },
        ],
      });
      await given.rig.run('delete', { index: dest, ids: ['k2'] });
      return { source, dest, alias };
    }

    test('is refused with a list of these objects, leaves them unchanged, and holds no lock', async () => {
      const { source, dest, alias } = await givenTrial();
      const tracker = await given.rig.run('reindex', { source: alias, dest });
      expect(tracker).toMatchObject({
        status: 'refused',
        detail: expect.stringContaining('k1, k2, x'),
        errors: [{ type: 'dest-newer' }],
        data: { destBefore: { newer: 2, unknown: 1, examples: ['k1', 'k2', 'x'], removed: 0 } },
      });
      expect(await aliasOf(alias)).toBe(source);
      expect(await listLocks(given.rig.db)).toEqual([]);
      const to = await findIndex(given.rig.db, dest);
      expect(to && (await getObject(given.rig.db, to, 'k1'))).toMatchObject({ payload: 'a trial' });
    });

    test('replaces these objects on request: the index then serves only what the source had', async () => {
      const { dest, alias } = await givenTrial();
      const tracker = await given.rig.run('reindex', { source: alias, dest, destExisting: 'replace' });
      expect(tracker).toMatchObject({
        status: 'done',
        data: { destBefore: { newer: 2, unknown: 1, removed: 3 }, verified: { source: 3, dest: 3 } },
      });
      expect(await aliasOf(alias)).toBe(dest);
      const to = await findIndex(given.rig.db, dest);
      if (!to) throw new Error('the index is missing');
      const { objects } = await listObjects(given.rig.db, to, { after: null, limit: 10 });
      expect(objects.map(({ id, payload }) => [id, payload])).toEqual(items(3).map(({ id, payload }) => [id, payload]));
    });
  });

  test('a reindex back after the cut-over copies only what changed since', async () => {
    const { source, dest, alias } = await givenSource(100);
    await given.rig.run('reindex', { source: alias, dest, destModel });
    await given.rig.run('upsert', { index: alias, items: items(3, 'new') });
    await given.rig.run('delete', { index: alias, ids: ['k5'] });
    const back = await given.rig.run('reindex', { source: alias, dest: source });
    expect(back).toMatchObject({
      status: 'done',
      data: { copied: 3, tombstones: 1, verified: { source: 102, dest: 102 } },
    });
    expect(await aliasOf(alias)).toBe(source);
  });
});
