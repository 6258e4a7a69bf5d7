import { type Kysely, sql } from 'kysely';
import { alterTables } from '../partitions.ts';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // The number of the index that a row was copied from; null: a write of this index made it. A copy may be taken out
  // again by the reindex that brings its source, what was written here may not.
  await alterTables(db, 'objects', sql`add column copied_from int`);
  // All changes of the index up to replaced_change were in the index replaced_by when an alias moved there.
  await sql`alter table reembed.indexes add column replaced_by int`.execute(db);
  await sql`alter table reembed.indexes add column replaced_change bigint not null default 0`.execute(db);
}
