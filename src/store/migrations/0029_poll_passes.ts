import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // How often the poll of a source has passed through its newest rows: what was there two passes ago has been brought.
  await sql`alter table reembed.sources add column poll_passes bigint not null default 0`.execute(db);
}
