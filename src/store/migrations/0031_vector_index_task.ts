import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // The task that was the last to be asked for another vector index: an earlier one changes nothing any more.
  await sql`alter table reembed.indexes add column vector_index_task text`.execute(db);
}
