import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { listAliases, setAlias } from '../../src/store/aliases.ts';
import { transaction } from '../../src/store/database.ts';
import { dropIndex } from '../../src/store/drop-index.ts';
import { countIndex, indexInfo, listIndexInfos } from '../../src/store/index-info.ts';
import { ensureIndex, findIndex, markDeleting, resolveIndex } from '../../src/store/indexes.ts';
import { getObject, listObjects, streamObjects } from '../../src/store/objects.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import { lockPair, releaseLock } from '../../src/store/protocol/lock-pair.ts';
import { searchObjects } from '../../src/store/search.ts';
import { onBothDatabases } from '../support/databases.ts';
import {
  content,
  createIndex,
  expireLock,
  failure,
  indexConfig,
  lockIn,
  lockRequest,
  tombstone,
  uniqueName,
  vectorOf,
  write,
  writeIn,
} from './builders.ts';
import { openTransaction, untilWaiting } from './concurrency.ts';

const dropped = async (db: Parameters<typeof createIndex>[0], index: Awaited<ReturnType<typeof createIndex>>) => {
  await transaction(db, (trx) => markDeleting(trx, index.name, { force: true }));
  await dropIndex(db, index.no);
};

onBothDatabases((database, name) => {
  describe('creating an index', () => {
    it('returns the existing index for the same settings', async () => {
      const { db } = database();
      const first = await createIndex(db);
      const again = await transaction(db, (trx) => ensureIndex(trx, first.name, indexConfig()));
      expect(again).toEqual({ index: first, created: false });
    });

    it.each([
      ['dimensions', { dimensions: 4 }],
      ['metric', { metric: 'l2' as const }],
      ['splitter', { splitter: { chunkSize: 60, chunkOverlap: 0 } }],
      ['average', { average: true }],
      ['versioning', { versioning: 'external' as const }],
    ])('is refused for another %s', async (_setting, config) => {
      const { db } = database();
      const { name: taken } = await createIndex(db);
      await expect(createIndex(db, { name: taken, ...config })).rejects.toMatchObject({ type: 'IndexExists' });
    });

    it('is refused for the name of an alias, and an alias for the name of an index', async () => {
      const { db } = database();
      const index = await createIndex(db);
      const other = await createIndex(db);
      const alias = uniqueName('alias');
      await setAlias(db, alias, index.name);
      await expect(createIndex(db, { name: alias })).rejects.toMatchObject({ type: 'NameTaken' });
      await expect(setAlias(db, other.name, index.name)).rejects.toMatchObject({ type: 'NameTaken' });
    });

    it('is refused while an index of that name is being deleted', async () => {
      const { db } = database();
      const index = await createIndex(db);
      await transaction(db, (trx) => markDeleting(trx, index.name, { force: false }));
      await expect(createIndex(db, { name: index.name })).rejects.toMatchObject({ type: 'IndexDeleting' });
    });
  });

  describe('deleting an index', () => {
    it('is refused while a reindex lock touches it, as source or as destination', async () => {
      const { db } = database();
      const [source, dest] = [await createIndex(db), await createIndex(db)];
      const { lock } = await lockIn(db, source.name, dest.name);
      for (const { name: locked } of [source, dest]) {
        const marking = transaction(db, (trx) => markDeleting(trx, locked, { force: true }));
        await expect(marking).rejects.toMatchObject({ type: 'IndexLocked' });
      }
      await releaseLock(db, lock);
      await expect(dropped(db, source)).resolves.toBeUndefined();
    });

    it('removes an expired lock, and its own lock', async () => {
      const { db } = database();
      const [source, dest, third] = [await createIndex(db), await createIndex(db), await createIndex(db)];
      const expired = await lockIn(db, source.name, dest.name);
      await expireLock(db, expired.lock);
      await dropped(db, dest);
      const own = await lockIn(db, source.name, third.name);
      await transaction(db, (trx) => markDeleting(trx, third.name, { force: false, ownLock: own.lock }));
      expect((await sql`select 1 from reembed.reindex_locks where source_no = ${source.no}`.execute(db)).rows).toEqual(
        [],
      );
    });

    it('is refused while an alias points to it, unless forced', async () => {
      const { db } = database();
      const index = await createIndex(db);
      const alias = uniqueName('alias');
      await setAlias(db, alias, index.name);
      const marking = transaction(db, (trx) => markDeleting(trx, index.name, { force: false }));
      await expect(marking).rejects.toMatchObject({ type: 'IndexAliased' });
      await dropped(db, index);
      await expect(resolveIndex(db, alias)).rejects.toMatchObject({ type: 'IndexNotFound' });
    });

    it('refuses writes, reindexes and aliases once the index is marked', async () => {
      const { db } = database();
      const [index, other] = [await createIndex(db), await createIndex(db)];
      await transaction(db, (trx) => markDeleting(trx, index.name, { force: false }));
      await transaction(db, (trx) => markDeleting(trx, index.name, { force: false }));
      await expect(write(db, index, [content('a', 1)])).rejects.toMatchObject({ type: 'IndexDeleting' });
      await expect(setAlias(db, uniqueName('alias'), index.name)).rejects.toMatchObject({ type: 'IndexDeleting' });
      expect(await lockPair(db, lockRequest(index.name, other.name))).toMatchObject({ reason: 'source-deleting' });
    });

    it('does not touch an index that is not marked', async () => {
      const { db } = database();
      const index = await createIndex(db);
      await writeIn(db, index, [content('a', 1)]);
      await dropIndex(db, index.no);
      expect(await getObject(db, index, 'a')).toMatchObject({ version: 1 });
    });

    it('succeeds twice, and a namesake created afterwards is another index', async () => {
      const { db } = database();
      const index = await createIndex(db);
      await dropped(db, index);
      await dropIndex(db, index.no);
      const namesake = await createIndex(db, { name: index.name });
      expect(namesake.no).not.toBe(index.no);
      expect(await write(db, index, [content('a', 1)])).toEqual({ kind: 'moved' });
    });

    it('gives those who still use it "not found", not an error of the database', async () => {
      const { db } = database();
      const index = await createIndex(db);
      await dropped(db, index);
      const uses = [
        () => write(db, index, [content('a', 1)]),
        () => getObject(db, index, 'a'),
        () => listObjects(db, index, { after: null, limit: 1 }),
        () => searchObjects(db, index, { vector: vectorOf(1), limit: 1 }),
        () => indexInfo(db, index),
      ];
      for (const use of uses) await expect(use()).rejects.toMatchObject({ type: 'IndexNotFound' });
    });
  });

  it('the details of an index count objects, parts, failures and tombstones, and name aliases and lock', async () => {
    const { db } = database();
    const [index, dest] = [await createIndex(db), await createIndex(db)];
    const alias = uniqueName('alias');
    await setAlias(db, alias, index.name);
    await writeIn(db, index, [content('a', 1), content('b', 1), failure('c', 1), tombstone('d', 1)]);
    const { lock } = await lockIn(db, alias, dest.name);
    const info = (await listIndexInfos(db)).find((one) => one.name === index.name);
    expect(info).toMatchObject({ objects: 3, parts: 2, failed: 1, tombstones: 1, aliases: [alias] });
    expect(info?.lock).toMatchObject({ lock, source: index.name, dest: dest.name, draining: false });
  });

  it('counts that take too long are estimated and marked as estimates', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [content('a', 1), content('b', 1), failure('c', 1), tombstone('d', 1)]);
    const { objects, parts } = tablesOf(index.no);
    await sql`analyze ${objects}, ${parts}`.execute(db);
    expect(await countIndex(db, index.no)).toMatchObject({ objects: 3, parts: 2, estimated: false });
    if (name === 'pglite') return; // one session at a time has no time limits
    await sql`insert into ${parts} select index_no, object_id, n, false, null, embedding
      from ${parts}, generate_series(1, 200000) n`.execute(db);
    await sql`analyze ${parts}`.execute(db);
    const estimated = await countIndex(db, index.no, 1);
    expect(estimated).toMatchObject({ objects: 3, failed: 1, tombstones: 1, estimated: true });
    expect(estimated.parts).toBeGreaterThan(300_000);
  });

  it('concurrent lists read the counts at most twice, and each has what was written before it', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const lists = [];
    for (let n = 1; n <= 5; n++) {
      await writeIn(db, index, [content(`o${n}`, n)]);
      lists.push(
        listIndexInfos(db).then((all) => ({ n, objects: all.find((one) => one.name === index.name)?.objects })),
      );
    }
    for (const { n, objects } of await Promise.all(lists)) expect(objects).toBeGreaterThanOrEqual(n);
  });

  it('objects are listed in byte order, page by page, without deleted ones', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const ids = ['Z', 'a', 'ä', 'b', '𝒳', '10', '9', ' '];
    await writeIn(db, index, [...ids.map((id) => content(id, 1)), tombstone('gone', 1)]);
    const listed: string[] = [];
    for await (const { id } of streamObjects(db, index, { pageSize: 3 })) listed.push(id);
    expect(listed).toEqual([...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  });

  describe.skipIf(name === 'pglite')('concurrently from several connections', () => {
    it('an index and an alias of one name are not both created', async () => {
      const { db } = database();
      const target = await createIndex(db);
      for (let round = 0; round < 15; round++) {
        const both = uniqueName('both');
        const results = await Promise.allSettled([createIndex(db, { name: both }), setAlias(db, both, target.name)]);
        const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.type] : []));
        expect(errors).toEqual(['NameTaken']);
      }
    });

    it('one index requested many times is created once', async () => {
      const { db } = database();
      const wanted = uniqueName();
      const made = await Promise.all(
        Array.from({ length: 8 }, () => transaction(db, (trx) => ensureIndex(trx, wanted, indexConfig()))),
      );
      expect(made.filter(({ created }) => created)).toHaveLength(1);
      expect(new Set(made.map(({ index }) => index.no)).size).toBe(1);
    });

    it('many indexes are created and dropped while others are written', async () => {
      const { db } = database();
      const busy = await createIndex(db);
      await Promise.all([
        ...Array.from({ length: 5 }, async () => dropped(db, await createIndex(db))),
        ...Array.from({ length: 20 }, (_, at) => writeIn(db, busy, [content(`o${at}`, at + 1)])),
      ]);
      expect((await listObjects(db, busy, { after: null, limit: 100 })).objects).toHaveLength(20);
    });

    it('an alias is never pointed to an index that was marked for deletion in between', async () => {
      const { db } = database();
      const index = await createIndex(db);
      const marking = await openTransaction(db, (trx) => markDeleting(trx, index.name, { force: false }));
      const alias = uniqueName('alias');
      const pointing = setAlias(db, alias, index.name).catch((error) => error);
      await untilWaiting(db, 1);
      await marking.commit();
      expect(await pointing).toMatchObject({ type: 'IndexDeleting' });
      expect((await listAliases(db)).map((one) => one.alias)).not.toContain(alias);
    });

    it('a reindex never locks a destination that was marked in between, and creates a dropped one again', async () => {
      const { db } = database();
      const [source, dest] = [await createIndex(db), await createIndex(db)];
      const marking = await openTransaction(db, (trx) => markDeleting(trx, dest.name, { force: false }));
      const locking = lockPair(db, lockRequest(source.name, dest.name));
      await untilWaiting(db, 1);
      await marking.commit();
      expect(await locking).toMatchObject({ kind: 'conflict', reason: 'dest-deleting' });

      await dropIndex(db, dest.no);
      const again = await lockPair(db, lockRequest(source.name, dest.name, { destModel: indexConfig().model }));
      expect(again).toMatchObject({ kind: 'locked', destNo: (await findIndex(db, dest.name))?.no });
      expect((await findIndex(db, dest.name))?.no).not.toBe(dest.no);
    });
  });
});
