import { type RawBuilder, sql } from 'kysely';
import { ReembedError } from '../contract/errors.ts';
import { LIMITS } from '../contract/limits.ts';
import type { StoredObject } from '../contract/objects.ts';
import type { Db } from './database.ts';
import { readTables, tablesOf } from './partitions.ts';
import type { IndexRow } from './schema.ts';

const ATTRIBUTES = sql`version, metadata, original_id as "originalId", uri, failed`;

/** One object. Errors: `ObjectNotFound` for one that never was or is deleted, `IndexNotFound`. */
export async function getObject(db: Db, index: IndexRow, id: string): Promise<StoredObject> {
  const query = sql<StoredObject>`
    select object_id as id, payload, ${ATTRIBUTES} from ${tablesOf(index.no).objects}
    where index_no = ${index.no} and object_id = ${id} and not deleted`;
  const { rows } = await readTables(index, () => query.execute(db));
  if (!rows[0]) throw new ReembedError('ObjectNotFound', `${index.name} has no object ${JSON.stringify(id)}`);
  return rows[0];
}

export interface ObjectPage {
  objects: StoredObject[];
  /** The id after which the next page begins; null when this is the last one. */
  next: string | null;
}

/**
 * Objects in key order after `after`: at most `limit`, and as many as fit into `bytes` (`LIMITS.answerBytes` by default),
 * but at least one. Error: `IndexNotFound`.
 */
export async function listObjects(
  db: Db,
  index: IndexRow,
  { after, limit, bytes = LIMITS.answerBytes }: { after: string | null; limit: number; bytes?: number },
): Promise<ObjectPage> {
  const { objects: table } = tablesOf(index.no);
  // One object after another, since only its text tells how large it is.
  const next = (past: RawBuilder<unknown>) => sql`
    select object_id as id, payload::text as payload, octet_length(metadata::text) as metadata_bytes, ${ATTRIBUTES}
    from ${table}
    where index_no = ${index.no} and not deleted ${past}
    order by object_id
    limit 1`;
  const query = sql<StoredObject & { more: boolean }>`
    with recursive walk as (
      select o.*, 1 as place, octet_length(o.payload)::bigint + o.metadata_bytes as used
      from (${next(after === null ? sql`` : sql`and object_id > ${after}::text collate "C"`)}) o
      union all
      select o.*, walk.place + 1, walk.used + octet_length(o.payload) + o.metadata_bytes
      from walk
      cross join lateral (${next(sql`and object_id > walk.id`)}) o
      where walk.place <= ${limit}::int and (walk.place = 1 or walk.used <= ${bytes}::bigint)
    )
    select id, version, payload::json as payload, metadata, "originalId", uri, failed,
      place < (select max(place) from walk) as more
    from walk
    where place <= ${limit}::int and (place = 1 or used <= ${bytes}::bigint)
    order by place`;
  const { rows } = await readTables(index, () => query.execute(db));
  const last = rows.at(-1);
  return { objects: rows.map(({ more: _, ...object }) => object), next: last?.more ? last.id : null };
}

/** All objects in key order, read page by page so that memory stays flat. */
export async function* streamObjects(
  db: Db,
  index: IndexRow,
  { after = null, pageSize = 500 }: { after?: string | null; pageSize?: number } = {},
): AsyncGenerator<StoredObject> {
  for (let from = after; ; ) {
    const { objects, next } = await listObjects(db, index, { after: from, limit: pageSize });
    yield* objects;
    if (next === null) return;
    from = next;
  }
}
