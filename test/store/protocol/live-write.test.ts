import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Payload } from '../../../src/contract/objects.ts';
import type { Db } from '../../../src/store/database.ts';
import { getObject } from '../../../src/store/objects.ts';
import { tablesOf } from '../../../src/store/partitions.ts';
import { storedHashes } from '../../../src/store/protocol/live-write.ts';
import type { ObjectWrite } from '../../../src/store/protocol/object-write.ts';
import { countStaged, findFinished, stageItems } from '../../../src/store/staging.ts';
import { onBothDatabases } from '../../support/databases.ts';
import {
  content,
  createIndex,
  expireLock,
  failure,
  lockIn,
  orphanParts,
  partsOf,
  rowOf,
  rowsOf,
  tombstone,
  unchanged,
  uniqueName,
  vectorOf,
  write,
  writeIn,
} from '../builders.ts';
import { openTransaction, untilWaiting } from '../concurrency.ts';

onBothDatabases((database, databaseName) => {
  describe('the order of versions', () => {
    it('the higher version wins, whichever comes first', async () => {
      const { db } = database();
      const index = await createIndex(db);
      expect(await writeIn(db, index, [content('a', 2), content('b', 1)])).toMatchObject({ stale: [] });
      expect(await writeIn(db, index, [content('a', 1), content('b', 2)])).toMatchObject({
        written: ['b'],
        stale: ['a'],
      });
      expect((await rowsOf(db, index.no)).map(({ payload }) => payload)).toEqual(['a@2', 'b@2']);
    });

    it('an equal version counts as written and changes nothing, since it is already applied', async () => {
      const { db } = database();
      const index = await createIndex(db);
      await writeIn(db, index, [content('a', 1), tombstone('b', 1)]);
      const before = await sql`select * from ${tablesOf(index.no).objects} order by object_id`.execute(db);
      const again = await writeIn(db, index, [
        content('a', 1, { text: 'other' }),
        tombstone('b', 1),
        unchanged('a', 1, 'x'),
      ]);
      expect(again).toMatchObject({ stale: [], changed: [] });
      expect([...again.written].sort()).toEqual(['a', 'a', 'b']);
      expect((await sql`select * from ${tablesOf(index.no).objects} order by object_id`.execute(db)).rows).toEqual(
        before.rows,
      );
    });

    it('the highest version is stored of an object that a batch has several times', async () => {
      const { db } = database();
      const index = await createIndex(db);
      const outcome = await writeIn(db, index, [content('a', 2), content('a', 3), tombstone('a', 1), content('a', 3)]);
      expect([...outcome.written]).toEqual(['a', 'a']);
      expect(outcome.stale).toEqual(['a', 'a']);
      expect(await rowsOf(db, index.no)).toMatchObject([{ version: 3, parts: [3] }]);
    });

    it('versions go up to the largest safe integer', async () => {
      const { db } = database();
      const index = await createIndex(db, { versioning: 'external' });
      const largest = Number.MAX_SAFE_INTEGER;
      await writeIn(db, index, [content('a', largest)]);
      expect(await writeIn(db, index, [content('a', largest - 1)])).toMatchObject({ stale: ['a'] });
      expect(await getObject(db, index, 'a')).toMatchObject({ version: largest });
    });
  });

  describe('an object with the same text', () => {
    const row = (change: object, version: number) =>
      ({ ...content('a', version, { text: 'x' }), payload: { text: 'x', ...change } }) as ObjectWrite;
    const kept = (version: number, hash: string, payload?: Payload) =>
      ({ ...unchanged('a', version, 'x'), hash, payload }) as ObjectWrite;

    it('takes over another payload and keeps its vectors', async () => {
      const { db } = database();
      const index = await createIndex(db);
      await writeIn(db, index, [{ ...row({ views: 1 }, 1), hash: 'text.one' } as ObjectWrite]);
      const outcome = await writeIn(db, index, [kept(2, 'text.two', { text: 'x', views: 2 })]);
      expect(outcome).toMatchObject({ written: ['a'], changed: [] });
      expect(await rowsOf(db, index.no)).toMatchObject([{ version: 2, payload: { text: 'x', views: 2 }, parts: [1] }]);
      expect(await storedHashes(db, index.no, ['a'])).toEqual(new Map([['a', 'text.two']]));
    });

    it('is embedded when its stored text has changed in between, or its payload is missing', async () => {
      const { db } = database();
      const index = await createIndex(db);
      await writeIn(db, index, [{ ...row({ views: 1 }, 1), hash: 'text.one' } as ObjectWrite]);
      expect(await writeIn(db, index, [kept(2, 'other.two', { text: 'y' })])).toMatchObject({ changed: ['a'] });
      expect(await writeIn(db, index, [kept(2, 'text.two')])).toMatchObject({ changed: ['a'] });
      expect(await rowsOf(db, index.no)).toMatchObject([{ version: 1, payload: { text: 'x', views: 1 } }]);
    });
  });

  describe('parts', () => {
    it('are replaced: no old part stays after fewer parts, a tombstone or a failure', async () => {
      const { db } = database();
      const index = await createIndex(db);
      await writeIn(
        db,
        index,
        ['a', 'b', 'c'].map((id) => content(id, 1, { parts: partsOf([1, 2, 3], true) })),
      );
      await writeIn(db, index, [content('a', 2, { parts: partsOf([9]) }), tombstone('b', 2), failure('c', 2)]);
      expect((await rowsOf(db, index.no)).map(({ parts }) => parts)).toEqual([[9], [], []]);
      expect(await orphanParts(db, index.no)).toEqual([]);
    });

    it('are not stored by a stale write', async () => {
      const { db } = database();
      const index = await createIndex(db);
      await writeIn(db, index, [tombstone('a', 5), content('b', 5)]);
      await writeIn(db, index, [
        content('a', 4, { parts: partsOf([1, 2]) }),
        content('b', 4, { parts: partsOf([1, 2]) }),
      ]);
      expect((await rowsOf(db, index.no)).map(({ parts }) => parts)).toEqual([[], [5]]);
    });

    it('keep their place in the text, including empty ones, and the average is marked', async () => {
      const { db } = database();
      const index = await createIndex(db);
      const [first, second, average] = partsOf([1, 3], true) as [never, never, never];
      const empty = { part: 3, start: 7, end: 7, isAverage: false, embedding: vectorOf(4) };
      await writeIn(db, index, [content('a', 1, { parts: [first, second, average, empty] })]);
      const { rows } = await sql`
        select part, is_average, text_range::text from ${tablesOf(index.no).parts} order by part`.execute(db);
      expect(rows).toEqual([
        { part: 0, is_average: false, text_range: '[0,10)' },
        { part: 1, is_average: false, text_range: '[10,20)' },
        { part: 2, is_average: true, text_range: '(,)' },
        { part: 3, is_average: false, text_range: 'empty' },
      ]);
    });
  });

  describe('unchanged content', () => {
    it('keeps its vectors and gets the new version and metadata', async () => {
      const { db } = database();
      const index = await createIndex(db);
      await writeIn(db, index, [content('a', 1, { text: 'same', parts: partsOf([7, 8]) })]);
      expect(await writeIn(db, index, [unchanged('a', 2, 'same', { tag: 'new' })])).toMatchObject({ written: ['a'] });
      expect(await rowOf(db, index.no, 'a')).toMatchObject({
        version: 2,
        payload: 'same',
        metadata: { tag: 'new' },
        parts: [7, 8],
      });
    });

    it.each([
      ['has another hash by now', [content('a', 1, { text: 'other' })]],
      ['is deleted by now', [content('a', 1, { text: 'same' }), tombstone('a', 2)]],
      ['has failed by now', [content('a', 1, { text: 'same' }), failure('a', 2)]],
      ['was never there', []],
    ])('is embedded again where the stored content %s', async (_why, before) => {
      const { db } = database();
      const index = await createIndex(db);
      for (const object of before) await writeIn(db, index, [object]);
      const rows = await rowsOf(db, index.no);
      expect(await writeIn(db, index, [unchanged('a', 3, 'same')])).toMatchObject({ changed: ['a'], written: [] });
      expect(await rowsOf(db, index.no)).toEqual(rows);
    });

    it('is stale when it is older than the stored version', async () => {
      const { db } = database();
      const index = await createIndex(db);
      await writeIn(db, index, [content('a', 5, { text: 'same' })]);
      expect(await writeIn(db, index, [unchanged('a', 4, 'same')])).toMatchObject({ stale: ['a'], changed: [] });
    });

    it('is recognized by the hashes of objects that exist and have not failed', async () => {
      const { db } = database();
      const index = await createIndex(db);
      await writeIn(db, index, [content('a', 1), content('b', 1), content('c', 1)]);
      await writeIn(db, index, [tombstone('b', 2), failure('c', 2)]);
      expect([...(await storedHashes(db, index.no, ['a', 'b', 'c', 'd'])).keys()]).toEqual(['a']);
    });

    it.skipIf(databaseName === 'pglite')('waits for a write in progress and is compared with its result', async () => {
      const { db } = database();
      for (const [text, expected] of [
        ['same', { written: ['a'] }],
        ['other', { changed: ['a'] }],
      ] as const) {
        const index = await createIndex(db);
        await writeIn(db, index, [content('a', 1, { text: 'same' })]);
        const { objects } = tablesOf(index.no);
        const open = await openTransaction(db, (trx) =>
          sql`update ${objects} set version = 2, hash = ${`hash of ${text}`} where object_id = 'a'`.execute(trx),
        );
        const raising = writeIn(db, index, [unchanged('a', 3, 'same')]);
        await untilWaiting(db, 1);
        await open.commit();
        expect(await raising).toMatchObject(expected);
      }
    });
  });

  it('deleting an unknown id leaves a tombstone, which rejects an older write', async () => {
    const { db } = database();
    const index = await createIndex(db);
    expect(await writeIn(db, index, [tombstone('a', 5)])).toMatchObject({ written: ['a'] });
    expect(await writeIn(db, index, [content('a', 4)])).toMatchObject({ stale: ['a'] });
    expect(await rowsOf(db, index.no)).toMatchObject([{ id: 'a', version: 5, deleted: true, parts: [] }]);
  });

  describe('staged items', () => {
    const stage = async (db: Db) => {
      const finishes = uniqueName('staging');
      await stageItems(db, finishes, 0, [{ id: 'a' }]);
      return finishes;
    };

    it('are dropped with the write, which keeps its counts for a retry', async () => {
      const { db } = database();
      const index = await createIndex(db);
      await write(db, index, [content('b', 9), content('c', 1, { text: 'same' })]);
      const finishes = await stage(db);
      const objects = [content('a', 2), content('b', 2), unchanged('c', 2, 'same')];
      expect(await write(db, index, objects, { finishes })).toMatchObject({ isFinished: true });
      expect(await countStaged(db, finishes)).toBe(0);
      expect(await findFinished(db, finishes)).toEqual({ written: 2, unchanged: 1, stale: 1, failed: 0 });
    });

    it('stay after a write that is not applied, or leaves something to embed again or to report', async () => {
      const { db } = database();
      const index = await createIndex(db);
      await write(db, index, [content('a', 1, { text: 'other' })]);
      const finishes = await stage(db);
      const changed = await write(db, index, [unchanged('a', 2, 'thought to be this')], { finishes });
      expect(changed).toMatchObject({ changed: ['a'], isFinished: false });
      const bad = content('b', 1, {
        parts: [{ part: 0, start: 0, end: 1, isAverage: false, embedding: [Number.NaN] }],
      });
      await expect(write(db, index, [bad], { finishes })).rejects.toThrow();
      expect(await write(db, index, [content('a', 3)], { finishes, indexNo: 0 })).toEqual({ kind: 'moved' });
      expect(await countStaged(db, finishes)).toBe(1);
      expect(await findFinished(db, finishes)).toBeUndefined();
    });

    it('stay while they have to be forwarded', async () => {
      const { db } = database();
      const [source, dest] = [await createIndex(db), await createIndex(db)];
      await lockIn(db, source.name, dest.name);
      const finishes = await stage(db);
      expect(await write(db, source, [content('a', 1)], { finishes })).toMatchObject({ isFinished: false });
      expect(await countStaged(db, finishes)).toBe(1);
    });
  });

  describe('an index that is being rebuilt', () => {
    it('tells a write where to forward, or which reindex holds the index if it will not forward', async () => {
      const { db } = database();
      const [source, dest] = [await createIndex(db), await createIndex(db)];
      const { lock, taskId } = await lockIn(db, source.name, dest.name);
      expect(await writeIn(db, source, [content('a', 1)])).toMatchObject({ forwardTo: { indexNo: dest.no, lock } });
      for (const onReindex of ['wait', 'refuse'] as const) {
        expect(await write(db, source, [content('b', 2)], { onReindex })).toEqual({ kind: 'locked', taskId });
      }
      await expect(write(db, dest, [content('c', 3)])).rejects.toMatchObject({ type: 'IndexLocked' });
      expect((await rowsOf(db, source.no)).map(({ id }) => id)).toEqual(['a']);
      expect(await rowsOf(db, dest.no)).toEqual([]);
    });

    it('blocks no write and gets no forwards for an expired lock', async () => {
      const { db } = database();
      const [source, dest] = [await createIndex(db), await createIndex(db)];
      const { lock } = await lockIn(db, source.name, dest.name);
      await expireLock(db, lock);
      expect(await writeIn(db, source, [content('a', 1)], { onReindex: 'refuse' })).toMatchObject({ forwardTo: null });
      expect(await writeIn(db, dest, [content('a', 1)])).toMatchObject({ written: ['a'] });
    });
  });
});
