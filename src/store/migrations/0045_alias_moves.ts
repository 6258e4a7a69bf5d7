import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // An alias that is moved by hand may point to an index with other objects than those of its source's table.
  await sql`
    alter table reembed.sources
      add column alias_moves bigint not null default 0,
      add column synced_moves bigint not null default 0`.execute(db);
}
