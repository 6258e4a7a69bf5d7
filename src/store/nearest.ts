import { type RawBuilder, sql } from 'kysely';
import { isDistributed } from './citus/layout.ts';
import { spreadNearestByIndex, spreadNearestOfAll } from './citus/nearest.ts';
import type { Trx } from './database.ts';
import {
  byDistance,
  defaultEfSearch,
  firstRows,
  found,
  keepBest,
  type Neighbor,
  type Neighborhood,
  netOf,
} from './neighborhood.ts';
import { tablesOf } from './partitions.ts';
import { beginScan, endScan } from './scan-by-index.ts';
import type { IndexRow } from './schema.ts';
import { indexedDistance, storedDistance } from './vector-expressions.ts';

/** Rows per fetch; they are small because they contain neither vectors nor payloads. */
const FETCH_ROWS = 1_000;

/**
 * Compares every part that passes the filter, and returns the nearest objects, best first. The result is exact.
 * Postgres groups by object, so memory does not grow with the parts of one object.
 */
export async function nearestOfAll(trx: Trx, index: IndexRow, wanted: Neighborhood): Promise<Neighbor[]> {
  if (await isDistributed(trx)) return spreadNearestOfAll(trx, index, wanted);
  if (wanted.group === 'part') return nearestParts(trx, index, wanted);
  const { objects, parts } = tablesOf(index.no);
  const distance = storedDistance(index, wanted.vector);
  const { rows } = await sql<Neighbor>`
    select nearest.id, nearest.distance, best.part
    from (
      select p.object_id as id, min(${distance}) as distance
      from ${parts} p
      join ${objects} o on o.index_no = ${index.no} and o.object_id = p.object_id
      where p.index_no = ${index.no} and ${found(wanted)}
      group by p.object_id
      having min(${distance}) <> 'NaN' -- the angle to a vector of zeros
      order by distance, p.object_id
      limit ${wanted.limit}
    ) nearest
    cross join lateral (
      select case when p.is_average then null else p.part end as part
      from ${parts} p
      where p.index_no = ${index.no} and p.object_id = nearest.id
      order by ${distance} + 0.0, p.part -- plus zero: not an order that the HNSW index knows
      limit 1
    ) best
    order by nearest.distance, nearest.id`.execute(trx);
  return rows;
}

/** Compares every part of the objects that pass the filter, and returns the nearest parts. */
async function nearestParts(trx: Trx, index: IndexRow, wanted: Neighborhood): Promise<Neighbor[]> {
  const { objects, parts } = tablesOf(index.no);
  const { rows } = await sql<Neighbor>`
    select id, distance, part
    from (
      select p.object_id as id, p.part, ${storedDistance(index, wanted.vector)} as distance
      from ${parts} p
      join ${objects} o on o.index_no = ${index.no} and o.object_id = p.object_id
      where p.index_no = ${index.no} and not p.is_average and ${found(wanted)}
      offset 0 -- not an order that the HNSW index knows
    ) compared
    where distance <> 'NaN' -- the angle to a vector of zeros
    order by distance, id, part
    limit ${wanted.limit}`.execute(trx);
  return rows;
}

/**
 * Reads the HNSW index from the nearest part on until there are enough different objects or the scan ends. The result
 * is approximate, and fewer objects than requested do not mean that there are no more. Further parts of known objects are
 * skipped. The order is that of the stored vectors, also where the index has less of them.
 */
export async function nearestByIndex(
  trx: Trx,
  index: IndexRow,
  wanted: Neighborhood,
  { efSearch }: { efSearch?: number | undefined } = {},
): Promise<Neighbor[]> {
  if (await isDistributed(trx)) return spreadNearestByIndex(trx, index, wanted, efSearch);
  const { objects, parts } = tablesOf(index.no);
  const net = netOf(index, wanted.limit, efSearch);
  const first = firstRows(net);
  const best = new Map<string, Neighbor>();
  await beginScan(trx, efSearch ?? defaultEfSearch(index, wanted.limit));
  // The condition is a scalar subquery: with a join, Postgres would choose plans without the index.
  const nearest = sql`
    select p.object_id as id, ${storedDistance(index, wanted.vector)} as distance,
      case when p.is_average then null else p.part end as part
    from ${parts} p
    where (
      select ${found(wanted)}
      from ${objects} o
      where o.index_no = ${index.no} and o.object_id = p.object_id
    )
    order by ${indexedDistance(index, wanted.vector)}`;
  // Few searches need more, and these read the first rows twice: a cursor would cost each of them a round trip.
  const { rows } = await sql<Neighbor>`${nearest} limit ${sql.lit(first)}`.execute(trx);
  keepBest(best, rows, wanted);
  if (best.size < net && rows.length === first) await readOn(trx, nearest, { best, net, wanted });
  await endScan(trx);
  return [...best.values()].sort(byDistance).slice(0, wanted.limit);
}

/** Reads the nearest parts by a cursor, in one pass over the index, until there are enough. The end of the scan closes it. */
async function readOn(
  trx: Trx,
  nearest: RawBuilder<unknown>,
  { best, net, wanted }: { best: Map<string, Neighbor>; net: number; wanted: Neighborhood },
): Promise<void> {
  await sql`declare nearest_parts no scroll cursor for ${nearest}`.execute(trx);
  for (let isMore = true; isMore && best.size < net; ) {
    const { rows } = await sql<Neighbor>`fetch forward ${sql.lit(FETCH_ROWS)} from nearest_parts`.execute(trx);
    keepBest(best, rows, wanted);
    isMore = rows.length === FETCH_ROWS;
  }
}
