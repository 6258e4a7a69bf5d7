import { sql } from 'kysely';
import { expect, it } from 'vitest';
import type { Db } from '../../../src/store/database.ts';
import { dropRemovedOfGoneIndexes } from '../../../src/store/orphaned-rows.ts';
import { markChanges, readChanged, wasDeletedOnce, writeCopies } from '../../../src/store/protocol/copy.ts';
import type { ObjectWrite } from '../../../src/store/protocol/object-write.ts';
import { copyRemoved } from '../../../src/store/protocol/removed.ts';
import { collectTombstones } from '../../../src/store/protocol/tombstones.ts';
import { compareIndexes } from '../../../src/store/protocol/verify.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { content, createIndex, liveIds, lockIn, orphanParts, rowOf, tombstone, writeIn } from '../builders.ts';

const AT_ONCE = { retentionSeconds: -1, limit: 100 };

/** A write with a version of its client, by the task of this number. */
const by = (task: number, write: ObjectWrite): ObjectWrite => ({ ...write, accepted: task });
const derived = (id: string, version: number, originalId: string) => content(id, version, { originalId });

onBothDatabases((database) => {
  const createExternal = () => createIndex(database().db, { versioning: 'external' });

  async function rememberedIn(db: Db, indexNo: number): Promise<string[]> {
    const { rows } = await sql<{ object_id: string }>`
      select object_id
      from reembed.removed_objects
      where index_no = ${indexNo}
      order by object_id`.execute(db);
    return rows.map((row) => row.object_id);
  }

  it('a new object is accepted with any version after the tombstone of another object was removed', async () => {
    const { db } = database();
    const index = await createExternal();
    await writeIn(db, index, [by(1, tombstone('gone', 58))]);
    expect(await collectTombstones(db, index.no, AT_ONCE)).toBe(1);
    const outcome = await writeIn(db, index, [by(2, content('new', 3)), by(2, tombstone('other', 58))]);
    expect(outcome).toMatchObject({ stale: [], beyondRetention: [] });
    expect([...outcome.written].sort()).toEqual(['new', 'other']);
    expect(await liveIds(db, index.no)).toEqual(['new']);
  });

  it('an object whose tombstone was removed still rejects older writes and accepts newer ones', async () => {
    const { db } = database();
    const index = await createExternal();
    await writeIn(db, index, [by(1, content('a', 5))]);
    await writeIn(db, index, [by(2, tombstone('a', 7))]);
    await collectTombstones(db, index.no, AT_ONCE);
    for (const late of [content('a', 5), content('a', 6), tombstone('a', 6)]) {
      expect(await writeIn(db, index, [by(3, late)])).toMatchObject({ written: [], stale: ['a'] });
    }
    expect(await writeIn(db, index, [by(3, tombstone('a', 7))])).toMatchObject({ written: ['a'], stale: [] });
    expect(await rowOf(db, index.no, 'a')).toBeUndefined();
    expect(await writeIn(db, index, [by(4, content('a', 8))])).toMatchObject({ written: ['a'] });
    expect(await liveIds(db, index.no)).toEqual(['a']);
  });

  it('a write at the stored version is the same write again, or it is stale', async () => {
    const { db } = database();
    const index = await createExternal();
    const first = content('a', 5, { metadata: { lang: 'en' } });
    await writeIn(db, index, [by(1, first), by(1, tombstone('b', 5))]);
    expect(await writeIn(db, index, [by(2, first), by(2, tombstone('b', 5))])).toMatchObject({ stale: [] });
    for (const other of [
      content('a', 5, { metadata: { lang: 'en' }, text: 'other' }),
      content('a', 5, { metadata: { lang: 'de' } }),
      content('a', 5, { metadata: { lang: 'en' }, originalId: 'b' }),
      tombstone('a', 5),
      content('b', 5),
    ]) {
      expect(await writeIn(db, index, [by(3, other)])).toMatchObject({ written: [], stale: [other.id] });
    }
    expect(await liveIds(db, index.no)).toEqual(['a']);
    await collectTombstones(db, index.no, AT_ONCE);
    expect(await writeIn(db, index, [by(4, content('b', 5))])).toMatchObject({ written: [], stale: ['b'] });
    expect(await writeIn(db, index, [by(4, tombstone('b', 5))])).toMatchObject({ written: ['b'], stale: [] });
  });

  it('the remembered version of a deletion goes when the object is written, and returns when deleted', async () => {
    const { db } = database();
    const index = await createExternal();
    await writeIn(db, index, [by(1, tombstone('a', 7)), by(1, tombstone('b', 7))]);
    await collectTombstones(db, index.no, AT_ONCE);
    expect(await rememberedIn(db, index.no)).toEqual(['a', 'b']);
    await writeIn(db, index, [by(2, content('a', 8))]);
    expect(await rememberedIn(db, index.no)).toEqual(['b']);
    await writeIn(db, index, [by(3, tombstone('a', 9))]);
    await collectTombstones(db, index.no, AT_ONCE);
    expect(await rememberedIn(db, index.no)).toEqual(['a', 'b']);
    expect(await writeIn(db, index, [by(4, content('a', 8))])).toMatchObject({ stale: ['a'] });
  });

  it('deleting an original deletes what was derived before, for any versions of the client', async () => {
    const { db } = database();
    const index = await createExternal();
    await writeIn(db, index, [by(1, content('a', 1))]);
    await writeIn(db, index, [by(2, derived('b', 1_000, 'a')), by(2, derived('c', 5, 'b'))]);
    await writeIn(db, index, [by(3, tombstone('a', 2))]);
    expect(await liveIds(db, index.no)).toEqual([]);
    expect(await orphanParts(db, index.no)).toEqual([]);
    // It keeps its own version, so its client's next one is newer.
    expect(await rowOf(db, index.no, 'b')).toMatchObject({ version: 1_000, deleted: true });
    expect(await writeIn(db, index, [by(4, content('b', 1_001))])).toMatchObject({ written: ['b'] });
  });

  it('an object derived after the deletion stays, however low its version is', async () => {
    const { db } = database();
    const index = await createExternal();
    await writeIn(db, index, [by(3, tombstone('a', 900))]);
    expect(await writeIn(db, index, [by(4, derived('b', 1, 'a'))])).toMatchObject({ written: ['b'] });
    await writeIn(db, index, [by(4, content('a', 901))]);
    expect(await liveIds(db, index.no)).toEqual(['a', 'b']);
  });

  it('a derived object accepted before the deletion of its original stays deleted when it arrives late', async () => {
    const { db } = database();
    const index = await createExternal();
    await writeIn(db, index, [by(3, tombstone('a', 2))]);
    expect(await writeIn(db, index, [by(2, derived('b', 1_000, 'a'))])).toMatchObject({ stale: ['b'] });
    await collectTombstones(db, index.no, AT_ONCE);
    expect(await writeIn(db, index, [by(2, derived('c', 1_000, 'a'))])).toMatchObject({ stale: ['c'] });
    await writeIn(db, index, [by(4, content('a', 3))]);
    expect(await writeIn(db, index, [by(2, derived('d', 1_000, 'a'))])).toMatchObject({ stale: ['d'] });
    expect(await liveIds(db, index.no)).toEqual(['a']);
  });

  it('a deletion that is stale for its object deletes nothing that was derived from it', async () => {
    const { db } = database();
    const index = await createExternal();
    await writeIn(db, index, [by(1, content('a', 8))]);
    await writeIn(db, index, [by(2, derived('b', 1, 'a'))]);
    expect(await writeIn(db, index, [by(3, tombstone('a', 5))])).toMatchObject({ stale: ['a'] });
    expect(await liveIds(db, index.no)).toEqual(['a', 'b']);
  });

  it('an index being built gets deletions of derived objects and the remembered versions of its source', async () => {
    const { db } = database();
    const [source, dest] = [await createExternal(), await createExternal()];
    await writeIn(db, source, [by(1, tombstone('gone', 9)), by(1, tombstone('gone-too', 9))]);
    await collectTombstones(db, source.no, AT_ONCE);
    await writeIn(db, source, [by(2, content('a', 1))]);
    await writeIn(db, source, [by(3, derived('b', 50, 'a'))]);
    const { lock } = await lockIn(db, source.name, dest.name);
    const pair = { sourceNo: source.no, destNo: dest.no };
    await writeCopies(db, lock, dest.no, [by(2, content('a', 1)), by(3, derived('b', 50, 'a'))]);
    await writeIn(db, source, [by(4, tombstone('a', 2))]);
    const until = await markChanges(db, source.no);
    const { objects: changed } = await readChanged(db, pair, { after: 0, until }, 10);
    const copies = changed.map(({ id, version, accepted }) => by(accepted ?? 0, tombstone(id, version)));
    expect(changed.filter(wasDeletedOnce).map(({ id, deleted }) => [id, deleted])).toEqual([
      ['a', true],
      ['b', true],
    ]);
    await writeCopies(db, lock, dest.no, copies);
    expect(await liveIds(db, dest.no)).toEqual([]);
    expect(await orphanParts(db, dest.no)).toEqual([]);
    expect(await compareIndexes(db, pair, until)).toMatchObject({ behind: 0 });
    // A copier that had read it earlier arrives late.
    await writeCopies(db, lock, dest.no, [by(3, derived('b', 50, 'a'))]);
    expect(await liveIds(db, dest.no)).toEqual([]);

    expect(await copyRemoved(db, lock, pair, { after: '', limit: 1 })).toBe('gone');
    expect(await copyRemoved(db, lock, pair, { after: 'gone', limit: 2 })).toBeNull();
    expect(await rememberedIn(db, dest.no)).toEqual(['gone', 'gone-too']);
  });

  it('the remembered versions of a deleted index are dropped', async () => {
    const { db } = database();
    const kept = await createExternal();
    await writeIn(db, kept, [by(1, tombstone('a', 1))]);
    await collectTombstones(db, kept.no, AT_ONCE);
    await sql`
      insert into reembed.removed_objects (index_no, object_id, version, deleted_version)
      values (2000000000, 'a', 1, 1)`.execute(db);
    expect(await dropRemovedOfGoneIndexes(db, 100)).toBe(1);
    expect(await rememberedIn(db, kept.no)).toEqual(['a']);
    expect(await rememberedIn(db, 2_000_000_000)).toEqual([]);
  });
});
