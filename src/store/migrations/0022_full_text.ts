import { type Kysely, sql } from 'kysely';
import { alterTables } from '../partitions.ts';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table reembed.indexes add column full_text jsonb`.execute(db);
  // Null in indexes without full text, where it takes no space.
  await alterTables(db, 'parts', sql`add column words tsvector`);
}
