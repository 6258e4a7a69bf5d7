import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Known item: the index and the seed of a set that was made from an index.
  await sql`
    create table reembed.query_sets (
      name        text collate "C" primary key,
      known_item  jsonb,
      queries     int not null,
      judged      int not null,
      judgments   int not null,
      bytes       bigint not null,
      create_time timestamptz not null default now(),
      update_time timestamptz not null default now()
    )`.execute(db);
  await sql`
    create table reembed.queries (
      query_set text collate "C" not null references reembed.query_sets (name) on delete cascade,
      id        text collate "C" not null,
      text      text not null,
      relevant  jsonb not null,
      metadata  jsonb not null,
      primary key (query_set, id)
    )`.execute(db);
  // An evaluation of a task. The indexes are fixed when it begins; the report is there when it has ended.
  await sql`
    create table reembed.evaluations (
      task_id     text primary key,
      run         text not null,
      request     jsonb not null,
      left_no     int not null,
      right_no    int not null,
      report      jsonb,
      create_time timestamptz not null default now(),
      update_time timestamptz not null default now()
    )`.execute(db);
  // Its own copy of the queries, since a set may be replaced meanwhile, and what each side found; null: not run yet.
  await sql`
    create table reembed.evaluation_queries (
      task_id  text not null references reembed.evaluations (task_id) on delete cascade,
      seq      int not null,
      id       text not null,
      text     text not null,
      relevant jsonb not null,
      metadata jsonb not null,
      found    jsonb,
      primary key (task_id, seq)
    )`.execute(db);
}
