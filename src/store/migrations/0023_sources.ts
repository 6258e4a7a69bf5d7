import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // `no` is never reused: it names the source's outbox, functions and triggers. `marker` tells that they are of this
  // source, in a database that several installations share. `resolved`: the table as it was when it was set up.
  await sql`
    create table reembed.sources (
      no          int generated always as identity primary key,
      name        text collate "C" not null unique,
      definition  jsonb not null,
      index_name  text collate "C" not null unique,
      resolved    jsonb not null,
      marker      uuid not null default gen_random_uuid(),
      state       text not null default 'starting',
      reason      text,
      state_time  timestamptz not null default now(),
      sync_cursor jsonb,
      poll_cursor jsonb,
      create_time timestamptz not null default now(),
      update_time timestamptz not null default now()
    )`.execute(db);
}
