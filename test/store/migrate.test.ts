import { randomUUID } from 'node:crypto';
import { type Migration, sql } from 'kysely';
import pg from 'pg';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { requireMigrated } from '../../src/runtime/database.ts';
import { openDatabase } from '../../src/store/database.ts';
import { MIGRATIONS, migrate } from '../../src/store/migrate.ts';
import { alterTables, tablesOf } from '../../src/store/partitions.ts';
import { onBothDatabases, openPostgresDatabase } from '../support/databases.ts';
import { createIndex } from './builders.ts';

onBothDatabases((database) => {
  it('migrating a second time does nothing', async () => {
    expect(await migrate(database().db)).toEqual([]);
  });

  it('every table of the product lies in its own schema', async () => {
    const { rows } = await sql<{ table_name: string }>`
      select table_name from information_schema.tables where table_schema = 'public'`.execute(database().db);
    expect(rows).toEqual([]);
  });
});

describe('several processes concurrently', () => {
  it('can migrate one empty database, and each migration runs once', async () => {
    const admin = new pg.Client({ connectionString: inject('postgresUrl') });
    await admin.connect();
    for (let round = 0; round < 3; round++) {
      const name = `test_${randomUUID().replaceAll('-', '')}`;
      await admin.query(`create database ${name}`);
      const url = new URL(inject('postgresUrl'));
      url.pathname = `/${name}`;
      const processes = Array.from({ length: 6 }, () => openDatabase({ url: url.href, maxConnections: 2 }));
      const ran = await Promise.all(processes.map((db) => migrate(db)));
      expect(ran.flat()).toEqual(Object.keys(MIGRATIONS));
      await Promise.all(processes.map((db) => db.destroy()));
    }
    await admin.end();
  });
});

/** As in a later version: one more column for all objects. */
const NEXT: Migration = {
  up: (db) => alterTables(db, 'objects', sql`add column note text`),
};

const NOTHING: Migration = { up: async () => {} };

async function freshDatabase() {
  const database = await openPostgresDatabase();
  onTestFinished(() => database.close());
  return database.db;
}

describe('a schema of another version', () => {
  it('is refused while it is older, with instructions', async () => {
    const db = await freshDatabase();
    await requireMigrated(db);
    await sql`delete from reembed.migrations where name = '0008_bound_admissions'`.execute(db);
    await expect(requireMigrated(db)).rejects.toThrow(
      /older .* lacks 0008_bound_admissions: run `reembed migrate` first/,
    );
  });

  it('is used and left unchanged when it is newer and only has additions', async () => {
    const db = await freshDatabase();
    await migrate(db, { ...MIGRATIONS, '0900_note': NEXT, '0901_drop_note_needs_0003': NOTHING });
    await requireMigrated(db);
    expect(await migrate(db)).toEqual([]);
  });

  it('is refused when something that this version uses was removed', async () => {
    const db = await freshDatabase();
    await migrate(db, { ...MIGRATIONS, '0900_note': NEXT, '0901_drop_note_needs_0900': NOTHING });
    const refusal = /the migration 0901_drop_note_needs_0900, which this version of reembed does not support/;
    await expect(requireMigrated(db)).rejects.toThrow(refusal);
    await expect(migrate(db)).rejects.toThrow(refusal);
  });
});

it('a migration that waits for a long query lets the writers behind it through', async () => {
  const db = await freshDatabase();
  const query = await db.startTransaction().execute();
  await sql`select count(*) from reembed.objects`.execute(query);
  const migrating = migrate(db, { ...MIGRATIONS, '0900_note': NEXT });
  const isWaiting = async () => {
    const { rows } = await sql`
      select from pg_locks where mode = 'AccessExclusiveLock' and not granted and relation = 'reembed.objects'::regclass`.execute(
      db,
    );
    return rows.length > 0;
  };
  while (!(await isWaiting())) await new Promise((resolve) => setTimeout(resolve, 20));
  await sql`delete from reembed.objects`.execute(db);
  await query.commit().execute();
  expect(await migrating).toEqual(['0900_note']);
});

it('a migration changes the tables of all indexes, including those attached by an earlier version', async () => {
  const db = await freshDatabase();
  const [own, attached] = [await createIndex(db), await createIndex(db)];
  await sql`
    alter table reembed.objects attach partition ${tablesOf(attached.no).objects}
    for values in (${sql.lit(attached.no)})`.execute(db);
  await migrate(db, { ...MIGRATIONS, '0900_note': NEXT });
  const later = await createIndex(db);
  for (const { no } of [own, attached, later]) await sql`select note from ${tablesOf(no).objects}`.execute(db);
});
