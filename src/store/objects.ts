import { sql } from 'kysely';
import { ReembedError } from '../contract/errors.ts';
import type { StoredObject } from '../contract/objects.ts';
import type { Db } from './database.ts';
import { readTables, tablesOf } from './partitions.ts';
import type { IndexRow } from './schema.ts';

const COLUMNS = sql`
  object_id as id, version, payload, metadata, original_id as "originalId", uri, failed`;

/** One object. Errors: `ObjectNotFound` for one that never was or is deleted, `IndexNotFound`. */
export async function getObject(db: Db, index: IndexRow, id: string): Promise<StoredObject> {
  const query = sql<StoredObject>`
    select ${COLUMNS} from ${tablesOf(index.no).objects}
    where index_no = ${index.no} and object_id = ${id} and not deleted`;
  const { rows } = await readTables(index, () => query.execute(db));
  if (!rows[0]) throw new ReembedError('ObjectNotFound', `${index.name} has no object ${JSON.stringify(id)}`);
  return rows[0];
}

/** Objects in key order after `after`; the last one's id is the cursor of the next page. Error: `IndexNotFound`. */
export async function listObjects(
  db: Db,
  index: IndexRow,
  page: { after: string | null; limit: number },
): Promise<StoredObject[]> {
  const after = page.after === null ? sql`` : sql`and object_id > ${page.after}::text collate "C"`;
  const query = sql<StoredObject>`
    select ${COLUMNS}
    from ${tablesOf(index.no).objects}
    where index_no = ${index.no} and not deleted ${after}
    order by object_id
    limit ${page.limit}`;
  const { rows } = await readTables(index, () => query.execute(db));
  return rows;
}

/** All objects in key order, read page by page so that memory stays flat. */
export async function* streamObjects(db: Db, index: IndexRow, pageSize = 500): AsyncGenerator<StoredObject> {
  let after: string | null = null;
  for (;;) {
    const page: StoredObject[] = await listObjects(db, index, { after, limit: pageSize });
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < pageSize) return;
    after = last.id;
  }
}
