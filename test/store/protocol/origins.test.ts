import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { setAlias } from '../../../src/store/aliases.ts';
import { type Db, transaction } from '../../../src/store/database.ts';
import { storeObjects } from '../../../src/store/protocol/apply.ts';
import { writeCopies } from '../../../src/store/protocol/copy.ts';
import { cutOver } from '../../../src/store/protocol/cut-over.ts';
import { releaseLock } from '../../../src/store/protocol/lock-pair.ts';
import type { ObjectWrite } from '../../../src/store/protocol/object-write.ts';
import { findOwnContent, removeLeftOvers } from '../../../src/store/protocol/origins.ts';
import { collectTombstones } from '../../../src/store/protocol/tombstones.ts';
import type { IndexRow } from '../../../src/store/schema.ts';
import { onBothDatabases } from '../../support/databases.ts';
import {
  content,
  createIndex,
  liveIds,
  lockIn,
  orphanParts,
  rowsOf,
  tombstone,
  unchanged,
  uniqueName,
  writeIn,
} from '../builders.ts';
import { openTransaction, untilWaiting } from '../concurrency.ts';

const ALL = { own: true, after: null, limit: 100 };
const LEFT_OVERS = { ...ALL, own: false };
const NOTHING = { newer: 0, unknown: 0, examples: [] };

/** Rebuilds the source into the destination, as a reindex does, and moves the alias. */
async function rebuild(db: Db, alias: string, from: IndexRow, to: IndexRow, copies: readonly ObjectWrite[]) {
  const { lock, mark } = await lockIn(db, alias, to.name);
  await writeCopies(db, lock, to.no, copies);
  const step = { lock, sourceNo: from.no, destNo: to.no, mark, alias, mirror: null };
  expect(await cutOver(db, step)).toMatchObject({ kind: 'done' });
}

async function lockedPair(db: Db, before: (source: IndexRow, dest: IndexRow) => Promise<unknown> = async () => {}) {
  const [source, dest] = [await createIndex(db), await createIndex(db)];
  await before(source, dest);
  const { lock } = await lockIn(db, source.name, dest.name);
  return { source, dest, lock, pair: { sourceNo: source.no, destNo: dest.no } };
}

onBothDatabases((database, name) => {
  describe('the own content of a destination', () => {
    it('is what direct writes made newer than in the source or unknown to it, including deletions', async () => {
      const { db } = database();
      const { pair } = await lockedPair(db, async (source, dest) => {
        await writeIn(db, source, [content('a', 1), content('b', 2), content('c', 3), content('d', 9)]);
        await writeIn(db, dest, [content('b', 5), tombstone('c', 6), content('d', 7), content('x', 8)]);
        await writeIn(db, dest, [tombstone('y', 8)]);
      });
      expect(await findOwnContent(db, pair)).toEqual({ newer: 2, unknown: 1, examples: ['b', 'c', 'x'] });
    });

    it('is found where a write changed the metadata and kept the vectors', async () => {
      const { db } = database();
      const { pair } = await lockedPair(db, async (source, dest) => {
        await writeIn(db, source, [content('a', 1, { text: 'same' })]);
        const { lock } = await lockIn(db, source.name, dest.name);
        await writeCopies(db, lock, dest.no, [content('a', 1, { text: 'same' })]);
        await releaseLock(db, lock);
        await writeIn(db, dest, [unchanged('a', 4, 'same')]);
      });
      expect(await findOwnContent(db, pair)).toMatchObject({ newer: 1, unknown: 0 });
    });

    it('includes derived objects that a deletion took', async () => {
      const { db } = database();
      const { pair } = await lockedPair(db, async (source, dest) => {
        const objects = [content('a', 1), content('b', 1, { originalId: 'a' })];
        await writeIn(db, source, objects);
        const { lock } = await lockIn(db, source.name, dest.name);
        await writeCopies(db, lock, dest.no, objects);
        await releaseLock(db, lock);
        await writeIn(db, dest, [tombstone('a', 4)]);
      });
      expect(await findOwnContent(db, pair)).toEqual({ newer: 2, unknown: 0, examples: ['a', 'b'] });
    });

    it('includes different content at the same version with external versions', async () => {
      const { db } = database();
      const [source, dest] = [
        await createIndex(db, { versioning: 'external' }),
        await createIndex(db, { versioning: 'external' }),
      ];
      await writeIn(db, source, [content('same', 5), content('other', 5), content('gone', 5)]);
      await writeIn(db, dest, [content('same', 5), content('other', 5, { text: 'a trial' }), tombstone('gone', 5)]);
      const { lock } = await lockIn(db, source.name, dest.name);
      const pair = { sourceNo: source.no, destNo: dest.no };
      expect(await findOwnContent(db, pair)).toEqual({ newer: 2, unknown: 0, examples: ['gone', 'other'] });
      expect(await removeLeftOvers(db, lock, pair, ALL)).toEqual({ removed: 2, after: null });
      expect(await liveIds(db, dest.no)).toEqual(['same']);
    });

    it('excludes what an earlier try copied, even if the source has forgotten it since', async () => {
      const { db } = database();
      const { source, dest, lock, pair } = await lockedPair(db, async (source, dest) => {
        await writeIn(db, source, [content('a', 3), content('b', 3)]);
        const earlier = await lockIn(db, source.name, dest.name);
        await writeCopies(db, earlier.lock, dest.no, [content('a', 3), content('b', 3)]);
        await releaseLock(db, earlier.lock);
        await writeIn(db, source, [tombstone('a', 5)]);
        await collectTombstones(db, source.no, { retentionSeconds: -1, limit: 10 });
      });
      expect(await findOwnContent(db, pair)).toEqual(NOTHING);
      expect(await removeLeftOvers(db, lock, pair, LEFT_OVERS)).toEqual({ removed: 1, after: null });
      expect(await liveIds(db, dest.no)).toEqual(await liveIds(db, source.no));
    });

    it('excludes what was handed over to the index that replaced it, directly or through another', async () => {
      const { db } = database();
      const [first, second, third] = [await createIndex(db), await createIndex(db), await createIndex(db)];
      const alias = uniqueName('alias');
      await setAlias(db, alias, first.name);
      await writeIn(db, first, [content('a', 1), content('b', 1)], { target: alias });
      await rebuild(db, alias, first, second, [content('a', 1), content('b', 1)]);
      await writeIn(db, second, [tombstone('a', 2)], { target: alias });
      await collectTombstones(db, second.no, { retentionSeconds: -1, limit: 10 });
      expect(await findOwnContent(db, { sourceNo: second.no, destNo: first.no })).toEqual(NOTHING);
      await rebuild(db, alias, second, third, [content('b', 1)]);
      const pair = { sourceNo: third.no, destNo: first.no };
      expect(await findOwnContent(db, pair)).toEqual(NOTHING);
      // Written to it by name since: no other index has it.
      await writeIn(db, first, [content('c', 9)]);
      expect(await findOwnContent(db, pair)).toEqual({ newer: 0, unknown: 1, examples: ['c'] });
    });
  });

  describe('an object that the source does not have', () => {
    it('is removed page by page with its parts and without a tombstone, unless a user wrote it', async () => {
      const { db } = database();
      const { dest, lock, pair } = await lockedPair(db, async (source, dest) => {
        await writeIn(db, source, [content('known', 1), tombstone('deleted', 1)]);
        await writeIn(db, dest, [content('written', 1)]);
      });
      const copies = ['known', 'x', 'y', 'z'].map((id) => content(id, 1));
      await writeCopies(db, lock, dest.no, copies);
      const first = await removeLeftOvers(db, lock, pair, { ...LEFT_OVERS, limit: 2 });
      expect(first).toEqual({ removed: 2, after: 'y' });
      expect(await removeLeftOvers(db, lock, pair, { ...LEFT_OVERS, ...first })).toEqual({ removed: 1, after: null });
      expect((await rowsOf(db, dest.no)).map(({ id }) => id)).toEqual(['known', 'written']);
      expect(await removeLeftOvers(db, lock, pair, ALL)).toEqual({ removed: 1, after: null });
      expect(await orphanParts(db, dest.no)).toEqual([]);
    });

    it.skipIf(name === 'pglite')('is not removed when it is forwarded at that time', async () => {
      const { db } = database();
      const { source, dest, lock, pair } = await lockedPair(db);
      await writeCopies(db, lock, dest.no, [content('a', 1)]);
      const forward = await openTransaction(db, (trx) => storeObjects(trx, dest.no, [content('a', 9)], source.no));
      const removing = removeLeftOvers(db, lock, pair, LEFT_OVERS);
      await untilWaiting(db, 1);
      await writeIn(db, source, [content('a', 9)]);
      await forward.commit();
      expect(await removing).toMatchObject({ removed: 0 });
      expect(await rowsOf(db, dest.no)).toMatchObject([{ version: 9, deleted: false, parts: [9] }]);
    });

    it('is not removed by a reindex that has lost its lock', async () => {
      const { db } = database();
      const { pair } = await lockedPair(db);
      await expect(removeLeftOvers(db, randomUUID(), pair, ALL)).rejects.toMatchObject({ type: 'LockLost' });
    });
  });

  it('a copied object that gets its vectors later stays a copy', async () => {
    const { db } = database();
    const { source, dest, lock, pair } = await lockedPair(db);
    await writeCopies(db, lock, dest.no, [content('a', 5)]);
    await transaction(db, (trx) => storeObjects(trx, dest.no, [unchanged('a', 6, 'a@5')], 'keep'));
    await writeIn(db, source, [content('a', 1)]);
    expect(await findOwnContent(db, pair)).toEqual(NOTHING);
  });
});
