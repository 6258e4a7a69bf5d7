import { type RawBuilder, sql } from 'kysely';
import { ReembedError } from '../contract/errors.ts';
import type { Filter } from '../contract/filters.ts';
import { LIMITS } from '../contract/limits.ts';
import type { StoredObject } from '../contract/objects.ts';
import { isDistributed } from './citus/layout.ts';
import { spreadListObjects } from './citus/objects.ts';
import type { Db, Trx } from './database.ts';
import { passingPage } from './filters/passing-page.ts';
import { readTables, tablesOf } from './partitions.ts';
import type { IndexRow } from './schema.ts';

const ATTRIBUTES = sql`version, metadata, original_id as "originalId", uri, failed`;

/** Reads one object. Errors: `ObjectNotFound` if it does not exist or is deleted, `IndexNotFound`. */
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
  /** The id after which the next page starts; null on the last page. */
  next: string | null;
  /** Of the payloads and metadata. */
  bytes: number;
}

export interface ListOptions {
  after: string | null;
  limit: number;
  /** Default: `LIMITS.answerBytes`. */
  bytes?: number | undefined;
  /** Only objects that pass it: a page may have fewer, or none, although others follow. */
  filter?: Filter | undefined;
}

/**
 * Lists objects in key order after `after`: at most `limit`, and as many as fit into `bytes`, but at least one. Error:
 * `IndexNotFound`.
 */
export async function listObjects(db: Db, index: IndexRow, options: ListOptions): Promise<ObjectPage> {
  const { filter, after, limit, bytes = LIMITS.answerBytes } = options;
  const isSpread = await isDistributed(db);
  return readTables(index, async () => {
    if (filter === undefined) return readPage(db, index, { after, limit, bytes, isSpread });
    return db
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute(async (trx) => {
        const passing = await passingPage(trx, index, { filter, after, limit });
        if (!passing) return readPage(trx, index, { after, limit, bytes, isSpread });
        const { ids } = passing;
        const page = await readPage(trx, index, { after, limit: ids.length, bytes, isSpread, ids });
        return { ...page, next: page.objects.length < ids.length ? (page.objects.at(-1)?.id ?? null) : passing.next };
      });
  });
}

interface PageOptions {
  after: string | null;
  limit: number;
  bytes: number;
  isSpread: boolean;
  /** Only these, in key order. */
  ids?: readonly string[];
}

async function readPage(
  db: Db | Trx,
  index: IndexRow,
  { after, limit, bytes, isSpread, ids }: PageOptions,
): Promise<ObjectPage> {
  if (ids?.length === 0) return { objects: [], next: null, bytes: 0 };
  if (isSpread) return spreadListObjects(db, index, { after, limit, bytes, ids });
  const { objects: table } = tablesOf(index.no);
  const nth = (place: RawBuilder<unknown>) => sql`and object_id = (${ids}::text[])[${place}]`;
  // One object at a time, since an object's size is known only from its text.
  const next = (past: RawBuilder<unknown>) => sql`
    select object_id as id, payload::text as payload, octet_length(metadata::text) as metadata_bytes, ${ATTRIBUTES}
    from ${table}
    where index_no = ${index.no} and not deleted ${past}
    order by object_id
    limit 1`;
  const query = sql<StoredObject & { more: boolean; used: number }>`
    with recursive walk as (
      select o.*, 1 as place, octet_length(o.payload)::bigint + o.metadata_bytes as used
      from (${next(ids ? nth(sql`1`) : after === null ? sql`` : sql`and object_id > ${after}::text collate "C"`)}) o
      union all
      select o.*, walk.place + 1, walk.used + octet_length(o.payload) + o.metadata_bytes
      from walk
      cross join lateral (${next(ids ? nth(sql`walk.place + 1`) : sql`and object_id > walk.id`)}) o
      where walk.place <= ${limit}::int and (walk.place = 1 or walk.used <= ${bytes}::bigint)
    )
    select id, version, payload::json as payload, metadata, "originalId", uri, failed, used,
      place < (select max(place) from walk) as more
    from walk
    where place <= ${limit}::int and (place = 1 or used <= ${bytes}::bigint)
    order by place`;
  const { rows } = await query.execute(db);
  const last = rows.at(-1);
  const objects = rows.map(({ more: _more, used: _used, ...object }) => object);
  return { objects, next: last?.more ? last.id : null, bytes: last?.used ?? 0 };
}

export interface StreamOptions extends Pick<ListOptions, 'filter'> {
  after?: string | null;
  pageSize?: number;
  pageBytes?: number;
  /** Is given the bytes of each page; what it returns is released once the page was taken. */
  onPage?: (bytes: number) => { release(): void };
}

/** Streams all objects in key order, page by page, with constant memory. */
export async function* streamObjects(
  db: Db,
  index: IndexRow,
  { after = null, pageSize = 500, pageBytes, filter, onPage }: StreamOptions = {},
): AsyncGenerator<StoredObject> {
  for (let from = after; ; ) {
    const page = { after: from, limit: pageSize, bytes: pageBytes, filter };
    const { objects, next, bytes } = await listObjects(db, index, page);
    const hold = onPage?.(bytes);
    try {
      yield* objects;
    } finally {
      hold?.release();
    }
    if (next === null) return;
    from = next;
  }
}
