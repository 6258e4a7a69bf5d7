import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // What a task started without the API was assigned at its first admission, so that a repeated admission, after a
  // worker died before it could report, returns the same. The version is null for tasks that have none.
  await sql`
    create table reembed.admissions (
      staging    text primary key,
      version    bigint,
      admit_time timestamptz not null default now()
    )`.execute(db);
  await sql`create index admissions_time on reembed.admissions (admit_time)`.execute(db);
}
