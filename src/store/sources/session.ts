import { sql } from 'kysely';
import type { Db, Trx } from '../database.ts';

/** What decides how Postgres writes values as text, since keys must be the same text in each session, and what it shows. */
const SESSION = {
  timezone: 'UTC',
  datestyle: 'ISO, YMD',
  intervalstyle: 'iso_8601',
  bytea_output: 'hex',
  extra_float_digits: '1',
  // Row-level security that came later fails a read, instead of hiding rows, which would be deleted.
  row_security: 'off',
} as const;

/** Pins, for a transaction, how values are written as text, and that no row is hidden. */
export async function pinSession(trx: Trx): Promise<void> {
  const calls = Object.entries(SESSION).map(([name, value]) => sql`set_config(${name}, ${value}, true)`);
  await sql`select ${sql.join(calls)}`.execute(trx);
}

/** Whether transactions of this server may notify: those that are prepared for two phases cannot. */
export async function canNotify(db: Db): Promise<boolean> {
  const { rows } = await sql<{ max: number }>`
    select current_setting('max_prepared_transactions')::int as max`.execute(db);
  return rows[0]?.max === 0;
}
