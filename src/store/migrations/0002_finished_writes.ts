import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // The result of a task's items after they are dropped, in case a worker dies before it reports it.
  await sql`
    create table reembed.finished_writes (
      staging     text primary key,
      counts      jsonb not null,
      finish_time timestamptz not null default now()
    )`.execute(db);
  await sql`create index finished_writes_time on reembed.finished_writes (finish_time)`.execute(db);
}
