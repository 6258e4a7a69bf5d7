import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // The number of the index that the task named when it was first looked at; null: it named an alias. Whoever looks again
  // may find another index of that name.
  await sql`alter table reembed.admissions add column index_no int`.execute(db);
}
