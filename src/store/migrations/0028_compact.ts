import { type Kysely, sql } from 'kysely';
import { alterTables } from '../partitions.ts';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Stands for the model and the text of a vector. Null in parts that were written before: these are embedded again.
  await alterTables(db, 'parts', sql`add column text_key uuid`);
  // Whether a reindex takes stored vectors over.
  await sql`alter table reembed.reindex_locks add column reuse boolean not null default true`.execute(db);
  // Texts for which a reindex did not have to ask its model.
  await sql`alter table reembed.task_usage add column reused bigint not null default 0`.execute(db);
  // How an index stores its vectors and what its vector index is like; null: as in earlier versions.
  await sql`alter table reembed.indexes add column storage text, add column vector_index jsonb`.execute(db);
}
