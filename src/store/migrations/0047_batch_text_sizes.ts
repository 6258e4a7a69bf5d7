import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // How long the texts are that were sent: the tokens that a provider counts tell whether its model has read all of them.
  await sql`alter table reembed.batch_texts add column chars int, add column min_tokens int`.execute(db);
}
