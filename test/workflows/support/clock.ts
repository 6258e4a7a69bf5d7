import { sql } from 'kysely';
import { openDatabase } from '../../../src/store/database.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';

export interface DatabaseWithClock extends TestDatabase {
  /** Moves the clock by which locks expire. */
  advance(ms: number): Promise<void>;
}

/** A real Postgres whose `now()` and `clock_timestamp()` can be moved ahead. */
export async function openDatabaseWithClock(): Promise<DatabaseWithClock> {
  const database = await openPostgresDatabase();
  await sql`create schema clock`.execute(database.db);
  await sql`create table clock.lead (by interval not null)`.execute(database.db);
  await sql`insert into clock.lead values ('0')`.execute(database.db);
  for (const name of ['now', 'clock_timestamp']) {
    await sql`
      create function clock.${sql.id(name)}() returns timestamptz language sql volatile
      return pg_catalog.${sql.id(name)}() + (select by from clock.lead)`.execute(database.db);
  }
  const name = new URL(database.url).pathname.slice(1);
  // New connections find these functions before Postgres's own.
  await sql`alter database ${sql.id(name)} set search_path = clock, pg_catalog, public`.execute(database.db);
  await database.db.destroy();
  const db = openDatabase({ url: database.url });
  return {
    db,
    url: database.url,
    close: () => db.destroy(),
    async advance(ms) {
      await sql`update clock.lead set by = by + make_interval(secs => ${ms / 1_000})`.execute(db);
    },
  };
}
