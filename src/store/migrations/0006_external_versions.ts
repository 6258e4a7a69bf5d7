import { type Kysely, sql } from 'kysely';
import { alterTables } from '../partitions.ts';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Where clients give the versions, these tell nothing about the order of the writes of different objects: this is the
  // number that the task was given when it was accepted. Null where the version is that number.
  await alterTables(db, 'objects', sql`add column accepted bigint`);
  // The same indexes remember of each object whose tombstone was removed with which version it was deleted, and by the
  // task of which number: a row is about as small as its id, and goes when the object is written anew.
  await sql`
    create table reembed.removed_objects (
      index_no        int not null,
      object_id       text collate "C" not null,
      version         bigint not null,
      deleted_version bigint not null,
      primary key (index_no, object_id)
    )`.execute(db);
}
