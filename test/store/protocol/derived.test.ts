import { describe, expect, it } from 'vitest';
import { transaction } from '../../../src/store/database.ts';
import { applyWrites } from '../../../src/store/protocol/apply-writes.ts';
import { markChanges, readChanged, writeCopies } from '../../../src/store/protocol/copy.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { content, createIndex, liveIds, lockIn, orphanParts, rowOf, rowsOf, tombstone, writeIn } from '../builders.ts';
import { openTransaction, untilWaiting } from '../concurrency.ts';

const derived = (id: string, version: number, originalId: string) => content(id, version, { originalId });

onBothDatabases((database, name) => {
  it('deleting an original deletes what is derived from it, to any depth, with the same version', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const chain = Array.from({ length: 12 }, (_, at) => derived(`d${at + 1}`, 2, `d${at}`));
    await writeIn(db, index, [content('d0', 1), ...chain, derived('twig', 2, 'd5'), content('other', 2)]);
    await writeIn(db, index, [tombstone('d0', 3)]);
    expect(await liveIds(db, index.no)).toEqual(['other']);
    expect((await rowsOf(db, index.no)).filter(({ deleted }) => deleted).every(({ version }) => version === 3)).toBe(
      true,
    );
    expect(await orphanParts(db, index.no)).toEqual([]);
  });

  it('what was derived after the deletion stays', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [content('a', 1), derived('old', 2, 'a'), derived('new', 9, 'a')]);
    await writeIn(db, index, [tombstone('a', 5)]);
    expect(await liveIds(db, index.no)).toEqual(['new']);
  });

  it('what comes later than the deletion of its original, but is older, is stale and leaves a tombstone', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [tombstone('a', 5)]);
    expect(await writeIn(db, index, [derived('b', 3, 'a'), derived('c', 4, 'b')])).toMatchObject({
      written: ['c'],
      stale: ['b'],
    });
    expect(await liveIds(db, index.no)).toEqual([]);
    expect(await writeIn(db, index, [derived('d', 4, 'c')])).toMatchObject({ stale: ['d'] });
    expect(await writeIn(db, index, [derived('e', 6, 'c')])).toMatchObject({ written: ['e'] });
  });

  it('a new life of the original does not let in what was derived from the former one', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [tombstone('a', 5)]);
    await writeIn(db, index, [content('a', 7)]);
    expect(await writeIn(db, index, [derived('b', 3, 'a')])).toMatchObject({ stale: ['b'] });
    expect(await writeIn(db, index, [derived('c', 8, 'a')])).toMatchObject({ written: ['c'] });
    expect(await liveIds(db, index.no)).toEqual(['a', 'c']);
  });

  it('objects derived from each other end in a tombstone, not in an endless search', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [derived('a', 1, 'b'), derived('b', 1, 'a')]);
    await writeIn(db, index, [tombstone('a', 2)]);
    expect(await liveIds(db, index.no)).toEqual([]);
  });

  it('a deletion that is stale for its object still deletes what was derived before it', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [content('a', 9), derived('b', 2, 'a')]);
    expect(await writeIn(db, index, [tombstone('a', 5)])).toMatchObject({ stale: ['a'] });
    expect(await liveIds(db, index.no)).toEqual(['a']);
  });

  it('an index that is being built learns of a late original, so that a later deletion passes through it', async () => {
    const { db } = database();
    const [source, dest] = [await createIndex(db), await createIndex(db)];
    await writeIn(db, source, [tombstone('b', 5)]);
    const { lock, mark } = await lockIn(db, source.name, dest.name);
    await writeCopies(db, lock, dest.no, [tombstone('b', 5)]);
    await writeIn(db, source, [derived('b', 2, 'a')]);
    const pair = { sourceNo: source.no, destNo: dest.no };
    const changed = await readChanged(db, pair, { after: mark, until: await markChanges(db, source.no) }, 10);
    expect(changed).toMatchObject([{ id: 'b', deleted: true, originalId: 'a' }]);
    await writeCopies(db, lock, dest.no, [tombstone('b', 5)]);
    expect(await rowOf(db, dest.no, 'b')).toMatchObject({ deleted: true, originalId: 'a' });
    expect(await readChanged(db, pair, { after: mark, until: await markChanges(db, source.no) }, 10)).toEqual([]);
  });

  it('a copy is as its source has it, though it comes in another order: the source has judged lineage already', async () => {
    const { db } = database();
    const [source, dest] = [await createIndex(db), await createIndex(db)];
    const { lock } = await lockIn(db, source.name, dest.name);
    await writeCopies(db, lock, dest.no, [content('a', 1), derived('b', 2, 'a')]);
    // In the source, b was taken from its original at 3, before that was deleted at 4.
    await writeIn(db, source, [content('a', 1), derived('b', 2, 'a')]);
    await writeIn(db, source, [content('b', 3)]);
    await writeIn(db, source, [tombstone('a', 4)]);
    await writeCopies(db, lock, dest.no, [tombstone('a', 4)]);
    await writeCopies(db, lock, dest.no, [content('b', 3)]);
    expect(await liveIds(db, dest.no)).toEqual(await liveIds(db, source.no));
  });

  it('a copy remembers the deletions of its source, and judges late writes by them', async () => {
    const { db } = database();
    const [source, dest] = [await createIndex(db), await createIndex(db)];
    const { lock } = await lockIn(db, source.name, dest.name);
    await writeIn(db, source, [content('a', 1), derived('b', 2, 'a')]);
    await writeIn(db, source, [tombstone('a', 5)]);
    await writeIn(db, source, [content('a', 7)]);
    await writeCopies(db, lock, dest.no, [content('a', 7), tombstone('b', 5)]);
    for (const index of [source, dest]) {
      await transaction(db, async (trx) => {
        const counts = await applyWrites(trx, index, [derived('c', 4, 'a'), derived('d', 4, 'b')]);
        expect(counts).toMatchObject({ stale: ['c', 'd'] });
      });
      expect(await rowOf(db, index.no, 'b')).toMatchObject({ originalId: 'a', deleted: true });
    }
  });

  describe.skipIf(name === 'pglite')('while the original is being deleted', () => {
    it.each([
      ['directly', 'a'],
      ['over an object between', 'b'],
    ])('nothing derived from it %s slips in', async (_how, originalId) => {
      const { db } = database();
      const index = await createIndex(db);
      await writeIn(db, index, [content('a', 1), derived('b', 2, 'a')]);
      const writing = await openTransaction(db, (trx) => applyWrites(trx, index, [derived('late', 3, originalId)]));
      const deleting = writeIn(db, index, [tombstone('a', 4)]);
      await untilWaiting(db, 1);
      await writing.commit();
      await deleting;
      expect(await liveIds(db, index.no)).toEqual([]);

      await writeIn(db, index, [content('a', 5), derived('b', 6, 'a')]);
      const second = await openTransaction(db, (trx) => applyWrites(trx, index, [tombstone('a', 9)]));
      const written = writeIn(db, index, [derived('later', 8, originalId)]);
      await untilWaiting(db, 1);
      await second.commit();
      expect(await written).toMatchObject({ stale: ['later'] });
      expect(await liveIds(db, index.no)).toEqual([]);
    });

    it('in many rounds of chance, no derived object and no part outlives it', async () => {
      const { db } = database();
      const index = await createIndex(db);
      for (let round = 0, version = 1; round < 12; round++, version += 10) {
        const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id) => `${id}${round}`) as [string, string, string, string];
        await writeIn(db, index, [content(a, version), ...(round % 2 ? [derived(b, version + 1, a)] : [])]);
        await Promise.all([
          writeIn(db, index, [tombstone(a, version + 5)]),
          writeIn(db, index, [derived(b, version + 2, a)]),
          writeIn(db, index, [derived(c, version + 3, b)]),
          writeIn(db, index, [derived(d, version + 4, c), derived(b, version + 4, a)]),
        ]);
      }
      expect(await liveIds(db, index.no)).toEqual([]);
      expect(await orphanParts(db, index.no)).toEqual([]);
    });
  });
});
