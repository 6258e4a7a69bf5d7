import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Which transactions changed rows that could not be brought. Kept for a day, for those that wait for them.
  await sql`
    create table reembed.source_failures (
      source_no int not null references reembed.sources (no) on delete cascade,
      xid       bigint not null,
      object_id text collate "C" not null,
      fail_time timestamptz not null default now(),
      primary key (source_no, xid, object_id)
    )`.execute(db);
}
