import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Shares of the searches by an alias that run on the destination of a lock. Without the lock a row has no effect, so it
  // cannot outlive its reindex; it stays for the report.
  await sql`
    create table reembed.reads (
      lock        uuid primary key,
      task_id     text not null,
      alias       text not null,
      serving     text not null,
      other       text not null,
      shadow      double precision not null,
      canary      double precision not null,
      create_time timestamptz not null default now(),
      count_time  timestamptz
    )`.execute(db);
  await sql`create index on reembed.reads (task_id)`.execute(db);
  // Sums, to which every API process adds: some hundred names for each lock.
  await sql`
    create table reembed.read_counts (
      lock  uuid not null references reembed.reads (lock) on delete cascade,
      name  text not null,
      value double precision not null,
      primary key (lock, name)
    )`.execute(db);
}
