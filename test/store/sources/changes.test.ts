import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Change, deleteChanges, readChanges } from '../../../src/store/sources/changes.ts';
import { outboxOf } from '../../../src/store/sources/names.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { uniqueName } from '../builders.ts';
import { openTransaction } from '../concurrency.ts';
import { follow } from './world.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openPostgresDatabase();
});
afterAll(() => database?.close());

const execute = (statement: string) => sql.raw(statement).execute(database.db);

async function followedTable() {
  const table = uniqueName('t').replaceAll('-', '_');
  await execute(`create table ${table} (id int primary key, body text)`);
  return { table, source: await follow(database.db, table) };
}

const keysOf = (changes: readonly Change[]) =>
  changes.map((change) => (change.kind === 'row' ? change.key[0] : change.kind));
const seqsOf = (changes: readonly Change[]) => changes.flatMap(({ seqs }) => seqs);

test('a key that changed several times is read once, with all its rows of the outbox', async () => {
  const { table, source } = await followedTable();
  await execute(`insert into ${table} values (1, 'one'), (2, 'two')`);
  await execute(`update ${table} set body = 'new' where id = 2`);
  const { changes, next } = await readChanges(database.db, source.no, { after: 0, limit: 10 });
  expect(keysOf(changes)).toEqual(['1', '2']);
  expect(changes.map(({ seqs }) => seqs.length)).toEqual([1, 2]);
  expect(next).toBeNull();
});

test('reads of few keys continue where the last one ended, up to the end', async () => {
  const { table, source } = await followedTable();
  await execute(`insert into ${table} select i, 'row' from generate_series(1, 7) i`);
  const read: unknown[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const page: Awaited<ReturnType<typeof readChanges>> = await readChanges(database.db, source.no, {
      after,
      limit: 3,
    });
    read.push(...keysOf(page.changes));
    after = page.next;
  }
  expect(read).toEqual(['1', '2', '3', '4', '5', '6', '7']);
});

test('one read of an outbox with very many rows is bounded, whatever they are', async () => {
  const { db } = database;
  const { source } = await followedTable();
  const outbox = outboxOf(source.no);
  const key = "jsonb_build_array(repeat('k', 1000) || case when i % 2 = 0 then i % 8 else i end)";
  await execute(`insert into ${outbox} (key) select ${key} from generate_series(1, 20000) i`);
  let left = 20_000;
  while (left > 0) {
    const { changes } = await readChanges(db, source.no, { after: 0, limit: 512 });
    const seqs = seqsOf(changes);
    expect([changes.length <= 512, seqs.length > 0 && seqs.length <= 2_048]).toEqual([true, true]);
    await deleteChanges(db, source.no, seqs);
    left -= seqs.length;
  }
  expect(await readChanges(db, source.no, { after: 0, limit: 512 })).toEqual({ changes: [], next: null });
});

test('a transaction that commits late leaves its change to a read from the beginning', async () => {
  const { db } = database;
  const { table, source } = await followedTable();
  const late = await openTransaction(db, (trx) => sql.raw(`insert into ${table} values (1, 'late')`).execute(trx));
  await execute(`insert into ${table} values (2, 'early')`);
  const first = await readChanges(db, source.no, { after: 0, limit: 10 });
  expect(keysOf(first.changes)).toEqual(['2']);
  await late.commit();
  await deleteChanges(db, source.no, seqsOf(first.changes));
  const second = await readChanges(db, source.no, { after: 0, limit: 10 });
  expect(keysOf(second.changes)).toEqual(['1']);
  expect(Math.max(...seqsOf(second.changes))).toBeLessThan(Math.min(...seqsOf(first.changes)));
});

test('a change that comes after the read stays when what was read is deleted', async () => {
  const { db } = database;
  const { table, source } = await followedTable();
  await execute(`insert into ${table} values (1, 'one')`);
  const { changes } = await readChanges(db, source.no, { after: 0, limit: 10 });
  await execute(`update ${table} set body = 'newer'`);
  await deleteChanges(db, source.no, seqsOf(changes));
  expect(keysOf((await readChanges(db, source.no, { after: 0, limit: 10 })).changes)).toEqual(['1']);
});

test('a truncated table and a dropped column are changes without a key', async () => {
  const { table, source } = await followedTable();
  await execute(`truncate ${table}`);
  await execute(`alter table ${table} drop column body`);
  await execute(`insert into ${table} values (1)`);
  const { changes } = await readChanges(database.db, source.no, { after: 0, limit: 10 });
  expect(changes).toMatchObject([{ kind: 'all' }, { kind: 'drift', note: 'columns are missing: body' }]);
});
