import { sql } from 'kysely';
import type { Filter } from '../../contract/filters.ts';
import type { Trx } from '../database.ts';
import { tablesOf } from '../partitions.ts';
import type { IndexRow } from '../schema.ts';
import { compileFilter } from './compile.ts';

/** Up to this many objects that pass are found by the index on metadata and sorted. */
const MAX_FOUND = 5_000;
/** Objects that are looked at for a page otherwise, so that a filter that few pass has a bounded time as well. */
const MAX_LOOKED_AT = 5_000;

/** Ids in key order. */
export interface PassingPage {
  ids: string[];
  /** The id after which the next page starts; null if no further object can pass. */
  next: string | null;
}

/**
 * Finds the first `limit` objects after `after` that pass a filter. There may be fewer with a `next`: then many objects
 * were looked at. Returns undefined for a filter that all objects pass.
 */
export async function passingPage(
  trx: Trx,
  index: IndexRow,
  { filter, after, limit }: { filter: Filter; after: string | null; limit: number },
): Promise<PassingPage | undefined> {
  const compiled = compileFilter(filter, sql`o.metadata`);
  if (!compiled) return undefined;
  const { objects } = tablesOf(index.no);
  const past = after === null ? sql`` : sql`and o.object_id > ${after}::text collate "C"`;
  if (compiled.isLookedUp) {
    // Rolling back restores the setting, which leaves Postgres the index on metadata.
    await sql`savepoint passing`.execute(trx);
    await sql`set local enable_seqscan = off`.execute(trx);
    const { rows } = await sql<{ id: string }>`
      select id
      from (
        select o.object_id as id
        from ${objects} o
        where not o.deleted and ${compiled.condition} ${past}
        limit ${MAX_FOUND + 1}
      ) found
      order by id collate "C"`.execute(trx);
    await sql`rollback to savepoint passing`.execute(trx);
    if (rows.length <= MAX_FOUND) return pageOf(rows, limit);
  }
  const { rows } = await sql<{ id: string; passes: boolean }>`
    select o.object_id as id, ${compiled.condition} as passes
    from ${objects} o
    where o.index_no = ${index.no} and not o.deleted ${past}
    order by o.object_id
    limit ${MAX_LOOKED_AT + 1}`.execute(trx);
  const lookedAt = rows.slice(0, MAX_LOOKED_AT);
  const page = pageOf(
    lookedAt.filter(({ passes }) => passes),
    limit,
  );
  if (page.next !== null || rows.length <= MAX_LOOKED_AT) return page;
  return { ids: page.ids, next: lookedAt.at(-1)?.id ?? null };
}

function pageOf(rows: readonly { id: string }[], limit: number): PassingPage {
  const ids = rows.slice(0, limit).map(({ id }) => id);
  return { ids, next: rows.length > limit ? (ids.at(-1) ?? null) : null };
}
