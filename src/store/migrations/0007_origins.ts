import { type Kysely, sql } from 'kysely';
import { alterTables } from '../partitions.ts';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // The number of the index that a row was copied from; null for the index's own writes. A reindex from that index may
  // remove copies, but not the index's own writes.
  await alterTables(db, 'objects', sql`add column copied_from int`);
  // All changes of the index up to replaced_change were in the index replaced_by when an alias moved there.
  await sql`alter table reembed.indexes add column replaced_by int`.execute(db);
  await sql`alter table reembed.indexes add column replaced_change bigint not null default 0`.execute(db);
}
