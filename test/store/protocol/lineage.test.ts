import { describe, expect, it } from 'vitest';
import { transaction } from '../../../src/store/database.ts';
import { applyWrites } from '../../../src/store/protocol/apply.ts';
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

  it('an object derived after the deletion stays', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [content('a', 1), derived('old', 2, 'a'), derived('new', 9, 'a')]);
    await writeIn(db, index, [tombstone('a', 5)]);
    expect(await liveIds(db, index.no)).toEqual(['new']);
  });

  it('an older derived object that arrives after the deletion of its original leaves a tombstone', async () => {
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

  it('recreating an original does not admit objects derived from the deleted one', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [tombstone('a', 5)]);
    await writeIn(db, index, [content('a', 7)]);
    expect(await writeIn(db, index, [derived('b', 3, 'a')])).toMatchObject({ stale: ['b'] });
    expect(await writeIn(db, index, [derived('c', 8, 'a')])).toMatchObject({ written: ['c'] });
    expect(await liveIds(db, index.no)).toEqual(['a', 'c']);
  });

  it('objects derived from each other end as tombstones, not in an endless search', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [derived('a', 1, 'b'), derived('b', 1, 'a')]);
    await writeIn(db, index, [tombstone('a', 2)]);
    expect(await liveIds(db, index.no)).toEqual([]);
  });

  it('a deletion that is stale for its object still deletes the objects derived before it', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [content('a', 9), derived('b', 2, 'a')]);
    expect(await writeIn(db, index, [tombstone('a', 5)])).toMatchObject({ stale: ['a'] });
    expect(await liveIds(db, index.no)).toEqual(['a']);
  });

  it('an item overtaken before it was embedded is not stored, but passes on a deletion of its original', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [tombstone('b', 5)]);
    await writeIn(db, index, [derived('c', 6, 'b')]);
    const counts = await writeIn(db, index, [{ kind: 'overtaken', id: 'b', version: 2, originalId: 'a' }]);
    expect(counts).toMatchObject({ written: [], stale: ['b'], changed: [] });
    expect(await rowOf(db, index.no, 'b')).toMatchObject({ deleted: true, version: 5, originalId: 'a' });
    await writeIn(db, index, [tombstone('a', 7)]);
    expect(await liveIds(db, index.no)).toEqual([]);
  });

  it('an index being built records a late original, so that a later deletion passes through it', async () => {
    const { db } = database();
    const [source, dest] = [await createIndex(db), await createIndex(db)];
    await writeIn(db, source, [tombstone('b', 5)]);
    const { lock, mark } = await lockIn(db, source.name, dest.name);
    await writeCopies(db, lock, dest.no, [tombstone('b', 5)]);
    await writeIn(db, source, [derived('b', 2, 'a')]);
    const pair = { sourceNo: source.no, destNo: dest.no };
    const { objects: changed } = await readChanged(
      db,
      pair,
      { after: mark, until: await markChanges(db, source.no) },
      10,
    );
    expect(changed).toMatchObject([{ id: 'b', deleted: true, originalId: 'a' }]);
    await writeCopies(db, lock, dest.no, [tombstone('b', 5)]);
    expect(await rowOf(db, dest.no, 'b')).toMatchObject({ deleted: true, originalId: 'a' });
    expect((await readChanged(db, pair, { after: mark, until: await markChanges(db, source.no) }, 10)).objects).toEqual(
      [],
    );
  });

  it('a copy matches its source in any order of arrival, since the source has judged lineage already', async () => {
    const { db } = database();
    const [source, dest] = [await createIndex(db), await createIndex(db)];
    const { lock } = await lockIn(db, source.name, dest.name);
    await writeCopies(db, lock, dest.no, [content('a', 1), derived('b', 2, 'a')]);
    // In the source, b left its original at 3, before the original was deleted at 4.
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

  describe.skipIf(name === 'pglite')('an original that is being deleted concurrently', () => {
    it.each([
      ['directly', 'a'],
      ['over an object between', 'b'],
    ])('admits nothing derived from it %s', async (_how, originalId) => {
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

    it('leaves no derived object and no part behind, in many random rounds', async () => {
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
