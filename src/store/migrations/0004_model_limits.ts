import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // When each model may be called next: of its requests and of its tokens per minute, and after it asked for a pause.
  // All workers and APIs go by it.
  await sql`
    create table reembed.model_limits (
      model        text primary key,
      requests_due timestamptz not null default '-infinity',
      tokens_due   timestamptz not null default '-infinity',
      paused_until timestamptz not null default '-infinity'
    )`.execute(db);
}
