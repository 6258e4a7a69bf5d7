import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // The destination is complete and verified: what is left is a decision, and a cut-over.
  await sql`alter table reembed.reindex_locks add column built boolean not null default false`.execute(db);
}
