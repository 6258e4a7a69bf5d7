import { describe, expect, test } from 'vitest';
import { listLocks } from '../../../src/store/protocol/locks.ts';
import { endOf, givenIndex, trackerWhen } from '../../support/rig.ts';
import { rigOfFile } from '../../support/rig-of-file.ts';

const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;

describe('a reindex that waits for another one', () => {
  const given = rigOfFile('dev');

  test('ends soon and says why once its source is deleted, however long it may wait', async () => {
    await givenIndex(given.rig.db, 'a');
    await givenIndex(given.rig.db, 'b');
    await given.rig.run('upsert', { index: 'a', items: [{ id: 'x', payload: 'a text' }] });
    const first = await given.rig.start('reindex', { source: 'a', dest: 'new', destModel, approve: 'manual' });
    await trackerWhen(first, ({ data }) => data.phase === 'approval');
    const second = await given.rig.start('reindex', { source: 'b', dest: 'new', waitSeconds: 604_800 });
    const waiting = await trackerWhen(second, ({ status }) => status === 'waiting');
    expect(waiting.data.conflict).toBe('dest-locked-as-dest');
    expect(await given.rig.run('delete-index', { index: 'b' })).toMatchObject({ status: 'done' });
    expect(await trackerWhen(second, ({ status }) => status === 'failed')).toMatchObject({
      detail: 'there is no index or alias b',
      errors: [{ type: 'IndexNotFound' }],
    });
    await first.signal('cancel');
    await endOf(first);
    expect(await listLocks(given.rig.db)).toEqual([]);
  });

  test('says that it waits for an index that is kept current, which nobody rebuilds', async () => {
    await givenIndex(given.rig.db, 'm1', { alias: 'm' });
    await given.rig.run('upsert', { index: 'm', items: [{ id: 'x', payload: 'a text' }] });
    const retire = { after: '24h', keepCurrent: true };
    const switched = await given.rig.start('reindex', { source: 'm', dest: 'm2', destModel, retire }, 'mirrored');
    expect(await endOf(switched)).toMatchObject({ status: 'done' });
    const next = await given.rig.run('reindex', { source: 'm', dest: 'm3', destModel, onConflict: 'refuse' });
    expect(next).toMatchObject({ status: 'refused', errors: [{ type: 'source-locked-as-source' }] });
    expect(next.detail).toMatch(
      /^m2 serves, and another index is kept current from it by the task mirrored\/retire\/1/,
    );
    const retired = await given.rig.run('delete-index', { index: 'm2', force: true });
    expect(retired).toMatchObject({ status: 'refused', errors: [{ type: 'IndexLocked' }] });
    expect(retired.detail).toBe('the task mirrored/retire/1 needs m2 for a roll back: cancel it first');
    await given.rig.client.workflow.getHandle('mirrored/retire/1').signal('cancel');
  });
});
