import { expect, it } from 'vitest';
import { writeCopies } from '../../../src/store/protocol/copy.ts';
import { cutOver } from '../../../src/store/protocol/cut-over.ts';
import { releaseLock } from '../../../src/store/protocol/lock-pair.ts';
import { requireLock } from '../../../src/store/protocol/locks.ts';
import { removeLeftOvers } from '../../../src/store/protocol/origins.ts';
import { collectTombstones } from '../../../src/store/protocol/tombstones.ts';
import { onBothDatabases } from '../../support/databases.ts';
import {
  content,
  createIndex,
  expireLock,
  lockIn,
  reload,
  rowsOf,
  tombstone,
  unchanged,
  writeIn,
} from '../builders.ts';

const AT_ONCE = { retentionSeconds: -1, limit: 100 };

onBothDatabases((database) => {
  it('tombstones are removed after the retention, the oldest first, and live objects never are', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [content('a', 1), tombstone('b', 2)]);
    await writeIn(db, index, [tombstone('c', 3)]);
    expect(await collectTombstones(db, index.no, { retentionSeconds: 3_600, limit: 100 })).toBe(0);
    expect(await collectTombstones(db, index.no, { ...AT_ONCE, limit: 1 })).toBe(1);
    expect((await rowsOf(db, index.no)).map(({ id }) => id)).toEqual(['a', 'c']);
    expect(await collectTombstones(db, index.no, AT_ONCE)).toBe(1);
    expect(await collectTombstones(db, index.no, AT_ONCE)).toBe(0);
    expect((await reload(db, index.no)).removedVersion).toBe(3);
  });

  it('a write older than a removed tombstone is reported, never applied and never dropped', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [
      tombstone('gone', 5),
      content('there', 2),
      content('derived', 4, { originalId: 'unknown' }),
    ]);
    await collectTombstones(db, index.no, AT_ONCE);
    const late = [
      content('gone', 4),
      unchanged('other', 5, 'x'),
      tombstone('unknown', 5),
      content('there', 3),
      content('new', 6),
    ];
    const outcome = await writeIn(db, index, late);
    expect(outcome).toMatchObject({ beyondRetention: ['gone', 'other', 'unknown'], stale: [], changed: [] });
    expect([...outcome.written].sort()).toEqual(['new', 'there']);
    expect((await rowsOf(db, index.no)).map(({ id, deleted }) => [id, deleted])).toEqual([
      ['derived', false],
      ['new', false],
      ['there', false],
    ]);
  });

  it('an index that is built judges late writes by the tombstones that its source has removed', async () => {
    const { db } = database();
    const [source, dest] = [await createIndex(db), await createIndex(db)];
    await writeIn(db, source, [tombstone('gone', 5), content('there', 6)]);
    await collectTombstones(db, source.no, AT_ONCE);
    const { lock } = await lockIn(db, source.name, dest.name);
    await releaseLock(db, lock);
    const outcome = await writeIn(db, await reload(db, dest.no), [content('gone', 4), content('new', 7)]);
    expect(outcome).toMatchObject({ written: ['new'], beyondRetention: ['gone'] });
  });

  it('no tombstone is removed while a lock touches the index, as source or as destination', async () => {
    const { db } = database();
    const [source, dest] = [await createIndex(db), await createIndex(db)];
    await writeIn(db, source, [tombstone('a', 1)]);
    await writeIn(db, dest, [tombstone('a', 1)]);
    const { lock } = await lockIn(db, source.name, dest.name);
    expect(await collectTombstones(db, source.no, AT_ONCE)).toBe(0);
    expect(await collectTombstones(db, dest.no, AT_ONCE)).toBe(0);
    await expireLock(db, lock);
    expect(await collectTombstones(db, source.no, AT_ONCE)).toBe(1);
    await expect(requireLock(db, lock)).rejects.toMatchObject({ type: 'LockLost' });
  });

  it('an object deleted and forgotten in the source does not survive in a destination that had it', async () => {
    const { db } = database();
    const [source, dest] = [await createIndex(db), await createIndex(db)];
    await writeIn(db, source, [content('a', 3)]);
    const earlier = await lockIn(db, source.name, dest.name);
    await writeCopies(db, earlier.lock, dest.no, [content('a', 3)]);
    await releaseLock(db, earlier.lock);
    await writeIn(db, source, [tombstone('a', 5)]);
    await collectTombstones(db, source.no, AT_ONCE);
    const { lock, mark } = await lockIn(db, source.name, dest.name);
    const pair = { sourceNo: source.no, destNo: dest.no };
    const found = await removeLeftOvers(db, lock, pair, { own: false, after: null, limit: 10 });
    expect(found).toEqual({ removed: 1, after: null });
    await cutOver(db, { lock, ...pair, mark, alias: null, mirror: null });
    // Accepted before the deletion and late: the destination must not take it for new.
    expect(await writeIn(db, await reload(db, dest.no), [content('a', 4)])).toMatchObject({ beyondRetention: ['a'] });
  });
});
