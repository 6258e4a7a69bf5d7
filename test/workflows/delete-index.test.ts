import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { setAlias } from '../../src/store/aliases.ts';
import { findIndex } from '../../src/store/indexes.ts';
import { getObject } from '../../src/store/objects.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import { listLocks } from '../../src/store/protocol/locks.ts';
import { openTransaction } from '../store/concurrency.ts';
import { endOf, givenIndex, trackerWhen } from '../support/rig.ts';
import { rigOfFile } from '../support/rig-of-file.ts';

const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;

describe('the old index after a cut-over', () => {
  let names = 0;
  const given = rigOfFile('dev');

  async function givenCutOver(
    retire: 'now' | { after: string; keepCurrent?: boolean },
    options: { lockSeconds?: number } = {},
  ) {
    const no = ++names;
    const [source, dest, alias] = [`source-${no}`, `dest-${no}`, `alias-${no}`];
    await givenIndex(given.rig.db, source, { alias });
    await given.rig.run('upsert', { index: alias, items: [{ id: 'x', payload: 'the text of x' }] });
    const handle = await given.rig.start('reindex', { source: alias, dest, destModel, retire, ...options });
    expect(await endOf(handle)).toMatchObject({ status: 'done' });
    const retiring = given.rig.environment.client.workflow.getHandle(`${handle.workflowId}/retire/1`);
    return { source, dest, alias, retiring, parentId: handle.workflowId };
  }

  test('is deleted immediately by a separate task', async () => {
    const { source, retiring, parentId } = await givenCutOver('now');
    expect(await endOf(retiring)).toMatchObject({
      type: 'delete-index',
      parentId,
      status: 'done',
      detail: `${source} is deleted`,
    });
    expect(await findIndex(given.rig.db, source)).toBeUndefined();
  });

  test('is deleted when it is due, and not before', async () => {
    const { source, retiring } = await givenCutOver({ after: '2s' });
    expect(await trackerWhen(retiring, ({ status }) => status === 'waiting')).toMatchObject({
      detail: expect.stringContaining(`${source} will be deleted at`),
    });
    expect(await findIndex(given.rig.db, source)).toMatchObject({ state: 'active' });
    expect(await endOf(retiring)).toMatchObject({ status: 'done' });
    expect(await findIndex(given.rig.db, source)).toBeUndefined();
  });

  test('is deleted once its last reader is gone, and the task names the reader until then', async () => {
    const { db } = given.rig;
    const { no } = await givenIndex(db, 'read', {});
    const reader = await openTransaction(db, (trx) => sql`select from ${tablesOf(no).objects}`.execute(trx));
    const deleting = await given.rig.start('delete-index', { index: 'read' });
    expect(await trackerWhen(deleting, ({ status }) => status === 'waiting')).toMatchObject({
      detail: expect.stringMatching(/removed once they are free of another program \(process \d+\) since 20/),
    });
    await givenIndex(db, 'meanwhile');
    await deleting.signal('cancel');
    await reader.commit();
    await deleting.signal('restart');
    await endOf(deleting);
    expect(await findIndex(db, 'read')).toBeUndefined();
  });

  test('is kept when its deletion is canceled', async () => {
    const { source, retiring } = await givenCutOver({ after: '24h' });
    await trackerWhen(retiring, ({ status }) => status === 'waiting');
    await retiring.signal('cancel', 'we may need it');
    expect(await endOf(retiring)).toMatchObject({ status: 'canceled' });
    expect(await findIndex(given.rig.db, source)).toMatchObject({ state: 'active' });
  });

  test('is deleted immediately when its waiting deletion is restarted', async () => {
    const { source, retiring } = await givenCutOver({ after: '24h' });
    await trackerWhen(retiring, ({ status }) => status === 'waiting');
    await retiring.signal('restart');
    expect(await endOf(retiring)).toMatchObject({ status: 'done' });
    expect(await findIndex(given.rig.db, source)).toBeUndefined();
  });

  test('is kept current until it is deleted, on request', async () => {
    const { source, alias, retiring } = await givenCutOver({ after: '24h', keepCurrent: true });
    expect(await listLocks(given.rig.db)).toMatchObject([{ mirror: true }]);
    const later = await given.rig.run('upsert', { index: alias, items: [{ id: 'later', payload: 'written later' }] });
    expect(later.data).toMatchObject({ written: 1, forwarded: 1 });
    const old = await findIndex(given.rig.db, source);
    expect(old && (await getObject(given.rig.db, old, 'later'))).toMatchObject({ version: later.version });
    await retiring.signal('cancel');
    expect(await endOf(retiring)).toMatchObject({ status: 'canceled' });
    expect(await listLocks(given.rig.db)).toEqual([]);
  });

  test('is kept current while its deletion is paused, and serves again after one switch', async () => {
    const { source, alias, retiring } = await givenCutOver({ after: '24h', keepCurrent: true }, { lockSeconds: 10 });
    await trackerWhen(retiring, ({ status }) => status === 'waiting');
    await retiring.signal('pause');
    await trackerWhen(retiring, ({ status }) => status === 'paused');
    const [mirror] = await listLocks(given.rig.db);
    const endMs = Number(mirror?.lockExpireTime);
    await expect
      .poll(async () => Number((await listLocks(given.rig.db))[0]?.lockExpireTime), { timeout: 90_000 })
      .toBeGreaterThan(endMs + 5_000);
    await given.rig.run('upsert', { index: alias, items: [{ id: 'later', payload: 'written while it was paused' }] });
    expect(await setAlias(given.rig.db, alias, source)).toEqual({ alias, index: source });
    await retiring.signal('cancel');
    expect(await endOf(retiring)).toMatchObject({ status: 'canceled' });
  });

  test('is not deleted when another index of its name has taken its place', async () => {
    const { source, retiring } = await givenCutOver({ after: '24h' });
    await trackerWhen(retiring, ({ status }) => status === 'waiting');
    await given.rig.run('delete-index', { index: source });
    await givenIndex(given.rig.db, source);
    await retiring.signal('restart');
    expect(await endOf(retiring)).toMatchObject({ status: 'refused', errors: [{ type: 'IndexDeleted' }] });
    expect(await findIndex(given.rig.db, source)).toMatchObject({ state: 'active' });
  });

  test('serves again after one switch of the alias when it was kept current, and is not deleted then', async () => {
    const { source, dest, alias, retiring } = await givenCutOver({ after: '24h', keepCurrent: true });
    await given.rig.run('upsert', { index: alias, items: [{ id: 'meanwhile', payload: 'written to the new one' }] });
    await given.rig.run('delete', { index: alias, ids: ['x'] });
    expect(await setAlias(given.rig.db, alias, source)).toEqual({ alias, index: source });
    const old = await findIndex(given.rig.db, source);
    if (!old) throw new Error('the old index is gone');
    expect(await getObject(given.rig.db, old, 'meanwhile')).toMatchObject({ payload: 'written to the new one' });
    await expect(getObject(given.rig.db, old, 'x')).rejects.toMatchObject({ type: 'ObjectNotFound' });
    expect(await listLocks(given.rig.db)).toEqual([]);
    await retiring.signal('restart');
    expect(await endOf(retiring)).toMatchObject({ status: 'refused' });
    expect(await findIndex(given.rig.db, source)).toMatchObject({ state: 'active' });
    expect(await findIndex(given.rig.db, dest)).toMatchObject({ state: 'active' });
  });
});
