import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // The searches that the source of a lock answers are counted. Without the lock a row has no effect. The lock of a mirror
  // names the reindex lock before it, whose figures are the baseline.
  await sql`
    create table reembed.watches (
      lock        uuid primary key,
      before_lock uuid,
      create_time timestamptz not null default now()
    )`.execute(db);
  // Sums of all API processes: of each minute some ten names, for a day at most.
  await sql`
    create table reembed.watch_counts (
      lock   uuid not null references reembed.watches (lock) on delete cascade,
      minute timestamptz not null,
      name   text not null,
      value  double precision not null,
      primary key (lock, minute, name)
    )`.execute(db);
}
