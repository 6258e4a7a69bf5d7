import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { setAlias } from '../../../src/store/aliases.ts';
import type { Db } from '../../../src/store/database.ts';
import { cutOver } from '../../../src/store/protocol/cut-over.ts';
import { releaseLock } from '../../../src/store/protocol/lock-pair.ts';
import { checkReads, resolveWithReads, setReads } from '../../../src/store/protocol/reads.ts';
import { addReadCounts, getReadCounts } from '../../../src/store/read-counts.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { createIndex, expireLock, lockIn, reload, uniqueName } from '../builders.ts';

/** An alias whose index is being rebuilt, with reads. */
async function givenReads(db: Db, shares = { shadow: 0.1, canary: 0.2 }) {
  const [source, dest] = [await createIndex(db), await createIndex(db)];
  const alias = uniqueName('alias');
  const other = uniqueName('alias');
  for (const name of [alias, other]) await setAlias(db, name, source.name);
  const locked = await lockIn(db, alias, dest.name);
  const place = { lock: locked.lock, taskId: locked.taskId, alias };
  await setReads(db, { ...place, ...shares });
  return { source, dest, alias, other, locked, place };
}

onBothDatabases((database) => {
  it('searches by the alias have reads while the lock is there, and those by another name have none', async () => {
    const { db } = database();
    const { source, dest, alias, other, locked } = await givenReads(db);
    const found = await resolveWithReads(db, alias);
    expect(found.index.name).toBe(source.name);
    expect(found.reads).toEqual({ lock: locked.lock, other: await reload(db, dest.no), shadow: 0.1, canary: 0.2 });
    for (const name of [source.name, other]) {
      expect(await resolveWithReads(db, name)).toMatchObject({ index: { no: source.no }, reads: undefined });
    }
    await releaseLock(db, locked.lock);
    expect((await resolveWithReads(db, alias)).reads).toBeUndefined();
    await expect(resolveWithReads(db, 'nowhere')).rejects.toMatchObject({ type: 'IndexNotFound' });
  });

  it('reads end when their lock expires, when both shares are 0, and cannot be set without a lock', async () => {
    const { db } = database();
    const { alias, locked, place } = await givenReads(db);
    await setReads(db, { ...place, shadow: 0, canary: 0 });
    expect((await resolveWithReads(db, alias)).reads).toBeUndefined();
    await setReads(db, { ...place, shadow: 0, canary: 1 });
    expect((await resolveWithReads(db, alias)).reads).toMatchObject({ shadow: 0, canary: 1 });
    await expireLock(db, locked.lock);
    expect((await resolveWithReads(db, alias)).reads).toBeUndefined();
    await releaseLock(db, locked.lock);
    await expect(setReads(db, { ...place, shadow: 1, canary: 1 })).rejects.toMatchObject({ type: 'LockLost' });
  });

  it('processes add to the same sums, which stay after the end, and belong to the last lock of a task', async () => {
    const { db } = database();
    const { source, dest, alias, locked, place } = await givenReads(db);
    const counts = new Map([
      ['shadow.dropped', 2],
      ['shadow.overlap', 0.5],
    ]);
    await Promise.all([addReadCounts(db, locked.lock, counts), addReadCounts(db, locked.lock, counts)]);
    expect(await getReadCounts(db, locked.taskId)).toMatchObject({
      ...{ alias, serving: source.name, other: dest.name, shadow: 0.1, canary: 0.2, until: null },
      counts: new Map([
        ['shadow.dropped', 4],
        ['shadow.overlap', 1],
      ]),
    });
    await releaseLock(db, locked.lock);
    expect(await getReadCounts(db, locked.taskId)).toMatchObject({ until: expect.any(Date) });

    const again = await lockIn(db, alias, dest.name, { taskId: locked.taskId });
    await setReads(db, { ...place, lock: again.lock, shadow: 1, canary: 0 });
    expect(await getReadCounts(db, locked.taskId)).toMatchObject({ shadow: 1, until: null, counts: new Map() });
    await addReadCounts(db, locked.lock, counts); // of a process that was slow
    expect((await getReadCounts(db, locked.taskId))?.counts).toEqual(new Map());
    expect(await getReadCounts(db, 'nobody')).toBeUndefined();
  });

  it('a shadow goes on after the switch, on the old index, while that is kept current', async () => {
    const { db } = database();
    const { source, dest, alias, locked } = await givenReads(db);
    const mirror = { lock: randomUUID(), taskId: uniqueName('task'), lockSeconds: 60, shadow: 0.3 };
    const pair = { sourceNo: source.no, destNo: dest.no, lock: locked.lock, mark: locked.mark };
    expect(await cutOver(db, { ...pair, alias, mirror })).toMatchObject({ kind: 'done' });
    expect(await resolveWithReads(db, alias)).toMatchObject({
      index: { no: dest.no },
      reads: { lock: mirror.lock, other: { no: source.no }, shadow: 0.3, canary: 0 },
    });
    expect(await getReadCounts(db, mirror.taskId)).toMatchObject({ serving: dest.name, other: source.name });
    await releaseLock(db, mirror.lock);
    expect((await resolveWithReads(db, alias)).reads).toBeUndefined();
  });

  it('a reindex without an alias cannot have reads', async () => {
    const { db } = database();
    const { source, alias } = await givenReads(db);
    for (const field of ['shadow', 'canary']) {
      await expect(checkReads(db, { source: source.name, [field]: 0.1 })).rejects.toMatchObject({
        type: 'InvalidInput',
        issues: [{ path: field, message: expect.stringContaining('needs an alias') }],
      });
    }
    await checkReads(db, { source: source.name });
    await checkReads(db, { source: source.name, alias, shadow: 0.1 });
    await checkReads(db, { source: alias, canary: 0.1 });
  });
});
