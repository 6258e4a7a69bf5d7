import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { resolveVectorIndex, vectorIndexSchema } from '../../src/contract/vector-index.ts';
import {
  changeVectorIndex,
  claimVectorIndex,
  dropAbandonedVectorIndexes,
  type WantedVectorIndex,
} from '../../src/store/change-vector-index.ts';
import type { Db } from '../../src/store/database.ts';
import { findIndexByNo } from '../../src/store/indexes.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { searchObjects } from '../../src/store/search.ts';
import { buildVectorIndex, isVectorIndexReady } from '../../src/store/vector-index.ts';
import { onBothDatabases } from '../support/databases.ts';
import { content, createIndex, partsOf, writeIn } from './builders.ts';
import { openTransaction, untilWaiting } from './concurrency.ts';

const OPTIONS = { memoryMb: 16, afterParts: 1 };

async function filled(db: Db, config: Parameters<typeof createIndex>[1] = {}): Promise<IndexRow> {
  const index = await createIndex(db, config);
  await writeIn(
    db,
    index,
    [1, 2, 3, 4, 5].map((value) => content(`o${value}`, 1, { parts: partsOf([value]) })),
  );
  return index;
}

const wanted = (settings: object): WantedVectorIndex => vectorIndexSchema.parse(settings);

async function change(db: Db, indexNo: number, settings: object | null, options: object = {}) {
  await claimVectorIndex(db, indexNo, 'task');
  const vectorIndex = settings === null ? null : wanted(settings);
  return changeVectorIndex(db, { indexNo, taskId: 'task', vectorIndex }, { ...OPTIONS, ...options });
}

/** The HNSW indexes of an index, complete or not. */
async function hnswOf(db: Db, no: number): Promise<{ name: string; options: string; valid: boolean }[]> {
  const { rows } = await sql<{ name: string; options: string; valid: boolean }>`
    select c.relname as name, array_to_string(c.reloptions, ' ') as options, i.indisvalid as valid
    from pg_index i
    join pg_class c on c.oid = i.indexrelid
    where i.indrelid = ${`reembed.parts_${no}`}::regclass and c.relname like ${`parts_${no}_hnsw%`}
    order by 1`.execute(db);
  return rows;
}

const reread = async (db: Db, { no }: IndexRow) => (await findIndexByNo(db, no)) as IndexRow;

onBothDatabases((database, databaseName) => {
  it('another HNSW index replaces the old one, which leaves nothing behind', async () => {
    const { db } = database();
    const index = await filled(db);
    await buildVectorIndex(db, index, OPTIONS);
    expect(await change(db, index.no, { m: 8, efConstruction: 40 })).toEqual({ kind: 'done', built: true });
    expect(await hnswOf(db, index.no)).toEqual([
      { name: `parts_${index.no}_hnsw`, options: 'm=8 ef_construction=40', valid: true },
    ]);
    const changed = await reread(db, index);
    expect(resolveVectorIndex(changed)).toMatchObject({ precision: 'full', m: 8, efConstruction: 40 });
    expect((await searchObjects(db, changed, { vector: [5, 1, 0.5], limit: 5 })).hits).toHaveLength(5);
    expect(await change(db, index.no, { m: 8, efConstruction: 40 })).toEqual({ kind: 'done', built: false });
  });

  it.each([
    [{ precision: 'half' }, 'half'],
    [{ precision: 'bit' }, 'bit'],
    [{ dimensions: 2 }, 'full'],
  ] as const)('%j is searched right after the switch', async (settings, precision) => {
    const { db } = database();
    const index = await filled(db);
    await buildVectorIndex(db, index, OPTIONS);
    await change(db, index.no, settings);
    const changed = await reread(db, index);
    expect(resolveVectorIndex(changed)).toMatchObject({ precision });
    expect(await isVectorIndexReady(db, changed)).toBe(true);
    const { hits } = await searchObjects(db, changed, { vector: [1, 1, 0.5], limit: 1 });
    expect(hits).toMatchObject([{ id: 'o1' }]);
  });

  it('the kind none drops the HNSW index, and null brings the usual one back', async () => {
    const { db } = database();
    const index = await filled(db);
    await buildVectorIndex(db, index, OPTIONS);
    expect(await change(db, index.no, { kind: 'none' })).toEqual({ kind: 'done', built: false });
    expect(await hnswOf(db, index.no)).toEqual([]);
    expect(await change(db, index.no, null)).toEqual({ kind: 'done', built: true });
    expect(await hnswOf(db, index.no)).toMatchObject([{ name: `parts_${index.no}_hnsw`, valid: true }]);
    expect((await reread(db, index)).vectorIndex).toBeUndefined();
  });

  it('an index too small for an HNSW index only gets the settings, with which it is built later', async () => {
    const { db } = database();
    const index = await filled(db);
    expect(await change(db, index.no, { m: 8 }, { afterParts: 1_000 })).toEqual({ kind: 'done', built: false });
    expect(await hnswOf(db, index.no)).toEqual([]);
    // The caller has read the index before its settings changed.
    await buildVectorIndex(db, index, OPTIONS);
    expect(await hnswOf(db, index.no)).toMatchObject([{ options: 'm=8 ef_construction=64' }]);
  });

  it('a task changes nothing once another one was asked', async () => {
    const { db } = database();
    const index = await filled(db);
    await buildVectorIndex(db, index, OPTIONS);
    await claimVectorIndex(db, index.no, 'later');
    const request = { indexNo: index.no, taskId: 'earlier', vectorIndex: wanted({ m: 8 }) };
    expect(await changeVectorIndex(db, request, OPTIONS)).toEqual({ kind: 'superseded', by: 'later' });
    expect(await hnswOf(db, index.no)).toMatchObject([{ options: 'm=16 ef_construction=64' }]);
  });

  describe.skipIf(databaseName === 'pglite')('while another HNSW index is built', () => {
    /** A build that waits for a transaction. */
    async function waiting(signal?: AbortSignal) {
      const { db } = database();
      const index = await filled(db);
      await buildVectorIndex(db, index, OPTIONS);
      const { parts } = tablesOf(index.no);
      const old = await openTransaction(db, (trx) => sql`lock table ${parts} in row exclusive mode`.execute(trx));
      const changing = change(db, index.no, { m: 8 }, signal ? { signal } : {}).catch((error) => error);
      await untilWaiting(db, 1);
      return { db, index, old, changing };
    }

    it('the old one serves, writers continue, and the new one has what they wrote', async () => {
      const { db, index, old, changing } = await waiting();
      expect(await hnswOf(db, index.no)).toMatchObject([
        { name: `parts_${index.no}_hnsw`, valid: true },
        { valid: false },
      ]);
      await writeIn(db, index, [content('meanwhile', 1, { parts: partsOf([9]) })]);
      expect((await searchObjects(db, index, { vector: [9, 1, 0.5], limit: 1 })).hits).toMatchObject([
        { id: 'meanwhile' },
      ]);
      expect(await change(db, index.no, { m: 10 })).toBeUndefined();
      await old.commit();
      await changing;
      const changed = await reread(db, index);
      expect((await searchObjects(db, changed, { vector: [9, 1, 0.5], limit: 1 })).hits).toMatchObject([
        { id: 'meanwhile' },
      ]);
    });

    it('a cancel leaves the old one, and nothing of the new one', async () => {
      const controller = new AbortController();
      const { db, index, old, changing } = await waiting(controller.signal);
      controller.abort(new Error('canceled'));
      // What is dropped waits for the transaction too.
      await old.commit();
      expect(await changing).toMatchObject({ message: 'canceled' });
      expect(await hnswOf(db, index.no)).toEqual([
        { name: `parts_${index.no}_hnsw`, options: 'm=16 ef_construction=64', valid: true },
      ]);
      expect((await reread(db, index)).vectorIndex).toBeUndefined();
    });

    it('a crash leaves the old one, and what it leaves of the new one is dropped', async () => {
      const { db, index, old, changing } = await waiting();
      await sql`
        select pg_terminate_backend(pid)
        from pg_stat_activity
        where datname = current_database() and query like '%create index concurrently%' and pid <> pg_backend_pid()`.execute(
        db,
      );
      expect(await changing).toBeInstanceOf(Error);
      await old.commit();
      expect(await hnswOf(db, index.no)).toMatchObject([
        { name: `parts_${index.no}_hnsw`, valid: true },
        { valid: false },
      ]);
      expect(await dropAbandonedVectorIndexes(db)).toBe(1);
      expect(await hnswOf(db, index.no)).toMatchObject([{ name: `parts_${index.no}_hnsw`, valid: true }]);
    });

    it('a task that runs again after a crash completes the change', async () => {
      const { db, index, old, changing } = await waiting();
      await sql`
        select pg_terminate_backend(pid)
        from pg_stat_activity
        where datname = current_database() and query like '%create index concurrently%' and pid <> pg_backend_pid()`.execute(
        db,
      );
      await changing;
      await old.commit();
      expect(await change(db, index.no, { m: 8 })).toEqual({ kind: 'done', built: true });
      expect(await hnswOf(db, index.no)).toEqual([
        { name: `parts_${index.no}_hnsw`, options: 'm=8 ef_construction=64', valid: true },
      ]);
    });

    it('a complete new index that a crash has left is used', async () => {
      const { db } = database();
      const index = await filled(db);
      await buildVectorIndex(db, index, OPTIONS);
      const name = `parts_${index.no}_hnsw_new_full_3_8_64`;
      await sql`
        create index ${sql.id(name)} on ${tablesOf(index.no).parts}
        using hnsw ((embedding::vector(3)) vector_cosine_ops)
        with (m = 8, ef_construction = 64)`.execute(db);
      const { rows } = await sql<{ oid: number }>`select ${`reembed.${name}`}::regclass::oid::int as oid`.execute(db);
      await change(db, index.no, { m: 8 });
      const after = await sql<{ oid: number }>`
        select ${`reembed.parts_${index.no}_hnsw`}::regclass::oid::int as oid`.execute(db);
      expect(after.rows).toEqual(rows);
    });
  });
});
