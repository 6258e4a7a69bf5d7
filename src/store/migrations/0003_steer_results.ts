import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // The targets of a steering task, looked up once, and the outcome for each. Type and status are as of the lookup;
  // tried: an attempt has started, and may have succeeded without reporting it.
  await sql`
    create table reembed.steer_results (
      task_id       text not null,
      target_id     text collate "C" not null,
      type          text,
      status        text,
      run_id        text,
      tried         boolean not null default false,
      outcome       text,
      reason        text,
      detail        text not null default '',
      snapshot_time timestamptz not null default now(),
      primary key (task_id, target_id)
    )`.execute(db);
}
