import { sql } from 'kysely';
import type { StoredObject } from '../../contract/objects.ts';
import { textArray } from '../binary.ts';
import type { Db, Trx } from '../database.ts';
import { tablesOf } from '../partitions.ts';
import type { IndexRow } from '../schema.ts';

/**
 * Lists objects of a distributed index in key order, as `listObjects` does: first the sizes of a page, then the objects
 * that fit, since each node would send a whole page of them.
 */
export async function spreadListObjects(
  db: Db | Trx,
  index: IndexRow,
  {
    after,
    limit,
    bytes,
    ids,
  }: { after: string | null; limit: number; bytes: number; ids?: readonly string[] | undefined },
): Promise<{ objects: StoredObject[]; next: string | null; bytes: number }> {
  const { objects: table } = tablesOf(index.no);
  const among = ids ? sql`and object_id = any(${textArray(ids)}::text[])` : sql``;
  const past = after === null ? among : sql`and object_id > ${after}::text collate "C" ${among}`;
  const { rows: sizes } = await sql<{ id: string; bytes: number }>`
    select object_id as id, octet_length(payload::text)::bigint + octet_length(metadata::text) as bytes
    from ${table}
    where index_no = ${index.no} and not deleted ${past}
    order by object_id
    limit ${limit + 1}`.execute(db);
  let used = 0;
  const page: string[] = [];
  for (const { id, bytes: ofOne } of sizes.slice(0, limit)) {
    if (page.length > 0 && used + ofOne > bytes) break;
    page.push(id);
    used += ofOne;
  }
  const { rows: objects } = await sql<StoredObject>`
    select object_id as id, payload, version, metadata, original_id as "originalId", uri, failed
    from ${table}
    where index_no = ${index.no} and object_id = any(${textArray(page)}::text[]) and not deleted
    order by object_id`.execute(db);
  return { objects, next: page.length < sizes.length ? (page.at(-1) ?? null) : null, bytes: used };
}
