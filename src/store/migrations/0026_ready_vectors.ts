import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // A constant default is kept in the catalog: no row is rewritten.
  await sql`alter table reembed.indexes add column ready_vectors boolean not null default false`.execute(db);
}
