import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Of a mirror: the last change of both indexes at the switch that began it, and the roll back that was this switch.
  await sql`
    alter table reembed.reindex_locks
      add column since_change bigint,
      add column roll_back jsonb`.execute(db);
}
