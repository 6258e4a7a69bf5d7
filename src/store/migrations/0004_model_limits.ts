import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // The earliest time of the next call of each model, by requests and tokens per minute and by a pause that the model
  // asked for. Shared by all workers and APIs.
  await sql`
    create table reembed.model_limits (
      model        text primary key,
      requests_due timestamptz not null default '-infinity',
      tokens_due   timestamptz not null default '-infinity',
      paused_until timestamptz not null default '-infinity'
    )`.execute(db);
}
