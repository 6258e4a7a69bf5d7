import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Texts that a reindex has sent in batches of a provider, and their answers until the objects are written.
  await sql`
    create table reembed.batch_texts (
      task_id   text not null,
      range_no  int not null,
      text_key  uuid not null,
      vector    vector,
      refused   text,
      sent_time timestamptz not null default now(),
      primary key (task_id, range_no, text_key)
    )`.execute(db);
}
