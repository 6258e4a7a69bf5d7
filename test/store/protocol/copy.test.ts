import { randomBytes, randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { type Db, transaction } from '../../../src/store/database.ts';
import { tablesOf } from '../../../src/store/partitions.ts';
import {
  type BehindPage,
  markChanges,
  readBehind,
  readByIds,
  readChanged,
  writeCopies,
} from '../../../src/store/protocol/copy.ts';
import { compareIndexes } from '../../../src/store/protocol/verify.ts';
import { listFailed } from '../../../src/store/staging.ts';
import { onBothDatabases } from '../../support/databases.ts';
import {
  content,
  createIndex,
  failure,
  liveIds,
  lockIn,
  orphanParts,
  rowsOf,
  tombstone,
  unchanged,
  uniqueName,
  writeIn,
} from '../builders.ts';

async function lockedPair(db: Db) {
  const [source, dest] = [await createIndex(db), await createIndex(db)];
  const { lock, mark } = await lockIn(db, source.name, dest.name);
  return { source, dest, lock, mark, pair: { sourceNo: source.no, destNo: dest.no } };
}

const ALL = { after: null, until: null };
const ids = (objects: readonly { id: string }[]) => objects.map(({ id }) => id);

onBothDatabases((database) => {
  describe('the changes that a destination lacks', () => {
    it('are the objects that it lacks, has older or could not embed, in key order and page by page', async () => {
      const { db } = database();
      const { source, dest, lock, pair } = await lockedPair(db);
      const objects = ['same', 'older', 'newer', 'missing', 'failed', 'gone', 'alive'];
      await writeIn(db, source, [
        ...objects.slice(0, 5).map((id) => content(id, 5)),
        tombstone('gone', 5),
        tombstone('alive', 5),
      ]);
      await writeCopies(db, lock, dest.no, [
        content('same', 5),
        content('older', 4),
        content('newer', 6),
        failure('failed', 5),
        tombstone('gone', 5),
        content('alive', 4),
      ]);
      const read = async (after: string | null, limit: number) =>
        ids((await readBehind(db, pair, { ...ALL, after }, limit)).objects);
      expect(await read(null, 9)).toEqual(['alive', 'failed', 'missing', 'older']);
      expect(await read('failed', 1)).toEqual(['missing']);
    });

    it('are read in pages that end where the payloads become large', async () => {
      const { db } = database();
      const { source, pair, mark } = await lockedPair(db);
      // Random, so that it is stored at its full length.
      const payload = randomBytes(1024 * 1024).toString('base64');
      const large = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ ...content(id, 5), payload }));
      await writeIn(db, source, [...large, content('f', 5)]);
      const until = await markChanges(db, source.no);
      const pages: string[][] = [];
      for (let page: BehindPage = { objects: [], more: true }; page.more; ) {
        page = await readBehind(db, pair, { ...ALL, after: page.objects.at(-1)?.id ?? null }, 9);
        pages.push(ids(page.objects));
      }
      expect(pages).toEqual([
        ['a', 'b', 'c'],
        ['d', 'e', 'f'],
      ]);
      const changed = await readChanged(db, pair, { after: mark, until }, 9);
      expect({ ids: ids(changed.objects), more: changed.more }).toEqual({ ids: ['a', 'b', 'c'], more: true });
    });

    it('are read since a mark in the order of the changes, only up to the next mark', async () => {
      const { db } = database();
      const { source, pair, mark } = await lockedPair(db);
      await writeIn(db, source, [content('b', 1)]);
      await writeIn(db, source, [content('a', 1), tombstone('z', 1)]);
      const until = await markChanges(db, source.no);
      await writeIn(db, source, [content('b', 2), content('late', 1)]);
      const { objects: first } = await readChanged(db, pair, { after: mark, until }, 9);
      expect(ids(first)).toEqual(['a', 'z']);
      expect(ids((await readChanged(db, pair, { after: first[0]?.change ?? 0, until }, 9)).objects)).toEqual(['z']);
      const next = await markChanges(db, source.no);
      expect(ids((await readChanged(db, pair, { after: until, until: next }, 9)).objects)).toEqual(['b', 'late']);
    });

    it('include, when read by ids, the derived objects that a deletion took too', async () => {
      const { db } = database();
      const { source, pair } = await lockedPair(db);
      await writeIn(db, source, [content('a', 1), content('b', 1, { originalId: 'a' }), content('c', 1)]);
      await writeIn(db, source, [tombstone('a', 2)]);
      expect(await readByIds(db, pair, ['a'])).toMatchObject([
        { id: 'a', deleted: true },
        { id: 'b', deleted: true },
      ]);
    });

    it('are empty on an empty database, at the mark 0 or at the last number given out', async () => {
      const { db } = database();
      const { source, pair } = await lockedPair(db);
      const until = await markChanges(db, source.no);
      expect((await readChanged(db, pair, { after: 0, until }, 9)).objects).toEqual([]);
    });
  });

  describe('a copy', () => {
    it('never overwrites a newer object, and replaces an older one with the tombstone', async () => {
      const { db } = database();
      const { dest, lock } = await lockedPair(db);
      await writeCopies(db, lock, dest.no, [content('a', 5), content('b', 2)]);
      const counts = await writeCopies(db, lock, dest.no, [content('a', 4), tombstone('b', 3)]);
      expect(counts).toMatchObject({ written: ['b'], stale: ['a'] });
      expect(await liveIds(db, dest.no)).toEqual(['a']);
      expect(await orphanParts(db, dest.no)).toEqual([]);
    });

    it('is repeated with the same version after it failed, and does not undo one that succeeded', async () => {
      const { db } = database();
      const { dest, lock } = await lockedPair(db);
      await writeCopies(db, lock, dest.no, [failure('a', 3), content('b', 3)]);
      await writeCopies(db, lock, dest.no, [content('a', 3), failure('b', 3)]);
      expect(await rowsOf(db, dest.no)).toMatchObject([
        { id: 'a', failed: false, parts: [3] },
        { id: 'b', failed: false, parts: [3] },
      ]);
    });

    it('writes an object without vectors and its entry on the failed list together, or not at all', async () => {
      const { db } = database();
      const { dest, lock } = await lockedPair(db);
      const taskId = uniqueName('reindex');
      const items = [{ objectId: 'a', stage: 'embed' as const, reason: 'ModelRejected', detail: 'too long' }];
      const page = { after: null, limit: 10 };
      await expect(writeCopies(db, randomUUID(), dest.no, [failure('a', 3)], [], { taskId, items })).rejects.toThrow(
        'was released or taken over',
      );
      expect(await listFailed(db, taskId, page)).toEqual([]);
      await writeCopies(db, lock, dest.no, [failure('a', 3)], [], { taskId, items });
      expect(await listFailed(db, taskId, page)).toMatchObject(items);
      expect(await rowsOf(db, dest.no)).toMatchObject([{ id: 'a', failed: true }]);
    });

    it('keeps the vectors of unchanged content', async () => {
      const { db } = database();
      const { dest, lock } = await lockedPair(db);
      await writeCopies(db, lock, dest.no, [content('a', 1, { text: 'same' })]);
      await writeCopies(db, lock, dest.no, [unchanged('a', 2, 'same')]);
      expect(await rowsOf(db, dest.no)).toMatchObject([{ version: 2, parts: [1] }]);
    });
  });

  describe('the comparison of an index with its copy', () => {
    it('finds no difference in an exact copy', async () => {
      const { db } = database();
      const { source, dest, lock, pair } = await lockedPair(db);
      const objects = [content('a', 1), tombstone('b', 2)];
      await writeIn(db, source, objects);
      await writeCopies(db, lock, dest.no, objects);
      const found = await compareIndexes(db, pair, await markChanges(db, source.no));
      expect(found).toEqual({
        behind: 0,
        ahead: 0,
        examples: [],
        source: 1,
        dest: 1,
        failed: 0,
        failedHere: 0,
        sourceEmbedded: 1,
        destEmbedded: 1,
        withoutParts: 0,
        orphanedParts: 0,
      });
    });

    it.each([
      [
        'an object that is missing',
        `delete from OBJECTS where object_id = 'a'`,
        { behind: 1, examples: ['a'], orphanedParts: 1 },
      ],
      [
        'an object that is older',
        `update OBJECTS set version = 0 where object_id = 'a'`,
        { behind: 1, examples: ['a'] },
      ],
      ['a tombstone that is missing', `delete from OBJECTS where object_id = 'z'`, { behind: 1, examples: ['z'] }],
      ['an object without parts', `delete from PARTS where object_id = 'a'`, { behind: 0, withoutParts: 1 }],
      [
        'parts without an object',
        `update PARTS set object_id = 'x' where object_id = 'a'`,
        { withoutParts: 1, orphanedParts: 1 },
      ],
      [
        'parts of a deleted object',
        `update OBJECTS set deleted = true where object_id = 'a'`,
        { behind: 0, ahead: 1, examples: ['a'], source: 2, dest: 1, orphanedParts: 1 },
      ],
      [
        'parts of a failed object',
        `update OBJECTS set failed = true where object_id = 'a'`,
        { failed: 1, failedHere: 1, destEmbedded: 1, orphanedParts: 1 },
      ],
      [
        'an object that is newer',
        `update OBJECTS set version = 9 where object_id = 'a'`,
        { ahead: 1, examples: ['a'] },
      ],
      [
        'an object that the source does not know',
        `update OBJECTS set object_id = 'x' where object_id = 'a'`,
        { behind: 1, ahead: 1, examples: ['a', 'x'] },
      ],
      [
        'an object that lives on',
        `update OBJECTS set deleted = false where object_id = 'z'`,
        { ahead: 1, examples: ['z'], source: 2, dest: 3 },
      ],
    ])('finds %s', async (_what, damage, expected) => {
      const { db } = database();
      const { source, dest, lock, pair } = await lockedPair(db);
      const objects = [content('a', 1), content('b', 1), tombstone('z', 1)];
      await writeIn(db, source, objects);
      await writeCopies(db, lock, dest.no, objects);
      const damaging = damage
        .replace('OBJECTS', `reembed.objects_${dest.no}`)
        .replace('PARTS', `reembed.parts_${dest.no}`);
      await sql.raw(damaging).execute(db);
      expect(await compareIndexes(db, pair, await markChanges(db, source.no))).toMatchObject(expected);
    });

    it('ignores what changed after the mark, on both sides', async () => {
      const { db } = database();
      const { source, dest, lock, pair, mark } = await lockedPair(db);
      await writeIn(db, source, [content('a', 1)]);
      await writeCopies(db, lock, dest.no, [content('a', 1)]);
      await writeIn(db, source, [tombstone('a', 2)]);
      expect(await compareIndexes(db, pair, mark)).toMatchObject({ behind: 0, source: 0, dest: 0 });
    });
  });

  it('the tables of an index hold nothing of another index', async () => {
    const { db } = database();
    const { source, dest } = await lockedPair(db);
    await writeIn(db, source, [content('a', 1)]);
    const wrongHome = transaction(db, (trx) =>
      sql`insert into ${tablesOf(dest.no).objects} select * from ${tablesOf(source.no).objects}`.execute(trx),
    );
    await expect(wrongHome).rejects.toMatchObject({ code: '23514' });
  });
});
