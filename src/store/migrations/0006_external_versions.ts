import { type Kysely, sql } from 'kysely';
import { alterTables } from '../partitions.ts';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // External versions say nothing about the order of writes to different objects; this is the number that the task was
  // assigned when it was accepted. Null where the version is that number.
  await alterTables(db, 'objects', sql`add column accepted bigint`);
  // Such indexes also remember, for each object whose tombstone was removed, the version of the deletion and the number
  // of the task. A row is about as small as its id, and is deleted when the object is written again.
  await sql`
    create table reembed.removed_objects (
      index_no        int not null,
      object_id       text collate "C" not null,
      version         bigint not null,
      deleted_version bigint not null,
      primary key (index_no, object_id)
    )`.execute(db);
}
