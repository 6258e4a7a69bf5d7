import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { type Db, transaction } from '../../src/store/database.ts';
import { dropIndex } from '../../src/store/drop-index.ts';
import { findIndexByNo, markDeleting } from '../../src/store/indexes.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { onBothDatabases } from '../support/databases.ts';
import { content, createIndex, lockIn, writeIn } from './builders.ts';
import { type OpenTransaction, openTransaction, untilWaiting } from './concurrency.ts';

/** Attaches the tables of an index to their templates, as earlier versions of the product did. */
async function attach(db: Db, index: IndexRow): Promise<void> {
  const tables = tablesOf(index.no);
  for (const kind of ['objects', 'parts'] as const) {
    await sql`
      alter table ${sql.id('reembed', kind)} attach partition ${tables[kind]}
      for values in (${sql.lit(index.no)})`.execute(db);
  }
}

const markFor = (db: Db, index: IndexRow) => transaction(db, (trx) => markDeleting(trx, index.name, { force: true }));

onBothDatabases((database, name) => {
  test('the tables of an index belong to no other table, and take only rows of their index', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const { rows } = await sql<{ attached: boolean }>`
      select relispartition as attached from pg_class where relname = ${`objects_${index.no}`}`.execute(db);
    expect(rows).toEqual([{ attached: false }]);
    const stray = sql`
      insert into ${tablesOf(index.no).objects} (index_no, object_id, version, change)
      values (${index.no + 1}, 'stray', 1, 1)`.execute(db);
    await expect(stray).rejects.toMatchObject({ code: '23514' });
  });

  test('an index made by an earlier version takes writes and is dropped like any other', async () => {
    const { db } = database();
    const [old, other] = [await createIndex(db), await createIndex(db)];
    await attach(db, old);
    await writeIn(db, old, [content('a', 1)]);
    await markFor(db, old);
    expect(await dropIndex(db, old.no)).toEqual({ kind: 'dropped' });
    expect(await findIndexByNo(db, old.no)).toBeUndefined();
    await writeIn(db, other, [content('a', 1)]);
  });

  test.skipIf(name === 'pglite').each([
    [
      'a reader that is idle in its transaction',
      async (db: Db, { no }: IndexRow) => {
        return openTransaction(db, (trx) => sql`select count(*) from ${tablesOf(no).parts}`.execute(trx));
      },
    ],
    [
      'a dump of the database',
      async (db: Db, { no }: IndexRow) => {
        const { objects, parts } = tablesOf(no);
        return openTransaction(db, (trx) =>
          sql`lock table reembed.objects, reembed.parts, ${objects}, ${parts} in access share mode`.execute(trx),
        );
      },
    ],
    [
      'an HNSW build of another connection',
      async (db: Db, { no }: IndexRow) => {
        return openTransaction(db, (trx) =>
          sql`lock table ${tablesOf(no).parts} in share update exclusive mode`.execute(trx),
        );
      },
    ],
  ] as [string, (db: Db, index: IndexRow) => Promise<OpenTransaction>][])(
    'while %s holds an index that is being deleted, other indexes are written, created, rebuilt and dropped',
    async (_who, hold) => {
      const { db } = database();
      for (const isOld of [false, true]) {
        const [doomed, other] = [await createIndex(db), await createIndex(db)];
        if (isOld) for (const index of [doomed, other]) await attach(db, index);
        await writeIn(db, doomed, [content('a', 1)]);
        const holder = await hold(db, doomed);
        await markFor(db, doomed);
        let tries = 0;
        let isOver = false;
        const dropping = (async () => {
          while (!isOver && (await dropIndex(db, doomed.no)).kind !== 'dropped') tries++;
        })();
        await untilWaiting(db, 1);
        // Each of these hangs while the holder stays if the drop waits with a lock that they need.
        await writeIn(db, other, [content('b', 1)]);
        const made = await createIndex(db);
        await lockIn(db, other.name, made.name);
        await writeIn(db, other, [content('c', 2)]);
        const third = await createIndex(db);
        await markFor(db, third);
        expect(await dropIndex(db, third.no)).toEqual({ kind: 'dropped' });
        while (tries === 0) await new Promise((resolve) => setTimeout(resolve, 20));
        expect(await findIndexByNo(db, doomed.no)).toMatchObject({ state: 'deleting' });
        await holder.commit();
        await dropping;
        isOver = true;
        expect(await findIndexByNo(db, doomed.no)).toBeUndefined();
      }
    },
    30_000,
  );
});
