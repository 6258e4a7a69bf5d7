import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // What each reindex has used of its model, and may use; null for no limit. `usd` has only what has a price.
  await sql`
    create table reembed.task_usage (
      task_id          text primary key,
      max_usd          float8,
      max_tokens       bigint,
      max_calls        bigint,
      calls            bigint not null default 0,
      tokens           bigint not null default 0,
      estimated_tokens bigint not null default 0,
      usd              float8 not null default 0,
      update_time      timestamptz not null default now()
    )`.execute(db);
  // What all reindexes together have used of a model on a day (UTC).
  await sql`
    create table reembed.model_usage (
      model  text not null,
      day    date not null,
      calls  bigint not null default 0,
      tokens bigint not null default 0,
      usd    float8 not null default 0,
      primary key (model, day)
    )`.execute(db);
}
