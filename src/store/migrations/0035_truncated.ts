import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // How often the model of a reindex did not read all of a text.
  await sql`alter table reembed.task_usage add column truncated bigint not null default 0`.execute(db);
}
