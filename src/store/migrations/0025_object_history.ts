import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // What happened to objects; the newest rows of each are kept. Failures that changed nothing have a number of their own.
  await sql`
    create table reembed.object_history (
      index_no    int not null,
      object_id   text collate "C" not null,
      change      bigint not null,
      kind        text not null,
      version     bigint,
      copied_from int,
      task_id     text,
      task_by     text,
      reason      text,
      event_time  timestamptz not null default now(),
      primary key (index_no, object_id, change)
    )`.execute(db);
  // To forget failures, also of objects that were never stored.
  await sql`
    create index object_history_failed on reembed.object_history (event_time) where kind = 'failed'`.execute(db);
}
