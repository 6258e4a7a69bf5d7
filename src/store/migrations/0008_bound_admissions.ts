import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // The number of the index that the task named at its first admission; null if it named an alias. At a later admission
  // the name may belong to another index.
  await sql`alter table reembed.admissions add column index_no int`.execute(db);
}
