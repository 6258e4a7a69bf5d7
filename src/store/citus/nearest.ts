import { sql } from 'kysely';
import type { Trx } from '../database.ts';
import {
  byDistance,
  defaultEfSearch,
  firstRows,
  found,
  keepBest,
  type Neighbor,
  type Neighborhood,
  netOf,
} from '../neighborhood.ts';
import { tablesOf } from '../partitions.ts';
import { beginScan, endScan } from '../scan-by-index.ts';
import type { IndexRow } from '../schema.ts';
import { indexedDistance, storedDistance } from '../vector-expressions.ts';

/** How many times more rows are read if many of the nearest parts belong to few objects. */
const GROWTH = 8;

/**
 * Finds the nearest objects of a distributed index by the HNSW indexes of its shards: each returns its nearest parts, and
 * the coordinator merges them. A cursor would make each shard sort all of its parts, so this reads as many as usually
 * suffice, in one round.
 */
export async function spreadNearestByIndex(
  trx: Trx,
  index: IndexRow,
  wanted: Neighborhood,
  efSearch: number | undefined,
): Promise<Neighbor[]> {
  const { objects, parts } = tablesOf(index.no);
  const net = netOf(index, wanted.limit, efSearch);
  const best = new Map<string, Neighbor>();
  await beginScan(trx, efSearch ?? defaultEfSearch(index, wanted.limit));
  for (let limit = firstRows(net); ; limit *= GROWTH) {
    const { rows } = await sql<Neighbor>`
      select p.object_id as id, ${storedDistance(index, wanted.vector)} as distance,
        case when p.is_average then null else p.part end as part
      from ${parts} p
      join ${objects} o on o.object_id = p.object_id
      where p.index_no = ${index.no} and o.index_no = ${index.no} and ${found(wanted)}
      order by ${indexedDistance(index, wanted.vector)}
      limit ${limit}`.execute(trx);
    keepBest(best, rows, wanted);
    if (best.size >= net || rows.length < limit) break;
  }
  await endScan(trx);
  return [...best.values()].sort(byDistance).slice(0, wanted.limit);
}

/** Compares every part that passes the filter, each on its node; otherwise as `nearestOfAll`. */
export async function spreadNearestOfAll(trx: Trx, index: IndexRow, wanted: Neighborhood): Promise<Neighbor[]> {
  const { objects, parts } = tablesOf(index.no);
  // Plus zero: not an order that the HNSW index knows. NaN is the angle to a vector of zeros.
  const distance = sql`(${storedDistance(index, wanted.vector)} + 0.0)`;
  const passing = sql`
    from ${parts} p
    join ${objects} o on o.object_id = p.object_id
    where p.index_no = ${index.no} and o.index_no = ${index.no} and ${found(wanted)}
      and ${distance} <> 'NaN'`;
  const of =
    wanted.group === 'part'
      ? sql`select p.object_id as id, ${distance} as distance, p.part ${passing} and not p.is_average`
      : sql`
          select distinct on (p.object_id) p.object_id as id, ${distance} as distance,
            case when p.is_average then null else p.part end as part
          ${passing}
          order by p.object_id, ${distance}, p.part`;
  const { rows } = await sql<Neighbor>`
    select id, distance, part
    from (${of}) best
    order by distance, id, part
    limit ${wanted.limit}`.execute(trx);
  return rows;
}

/** Whether at most this many parts pass the filter; counts no further. */
export async function hasFewPassing(
  trx: Trx,
  index: IndexRow,
  wanted: Neighborhood,
  maxParts: number,
): Promise<boolean> {
  const { objects, parts } = tablesOf(index.no);
  const { rows } = await sql<{ count: number }>`
    select count(*) as count
    from (
      select 1
      from ${parts} p
      join ${objects} o on o.object_id = p.object_id
      where p.index_no = ${index.no} and o.index_no = ${index.no} and ${found(wanted)}
      limit ${maxParts + 1}
    ) passing`.execute(trx);
  return (rows[0]?.count ?? 0) <= maxParts;
}
