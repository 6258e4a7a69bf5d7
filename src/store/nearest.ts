import { type RawBuilder, sql } from 'kysely';
import { LIMITS } from '../contract/limits.ts';
import { resolveVectorIndex } from '../contract/vector-index.ts';
import type { Vector } from '../contract/vectors.ts';
import type { Trx } from './database.ts';
import { compileFilter } from './filters/compile.ts';
import { tablesOf } from './partitions.ts';
import type { IndexRow } from './schema.ts';
import { indexedDistance, storedDistance } from './vector-expressions.ts';

/** Parameters of a nearest-neighbor search. */
export interface Neighborhood {
  vector: Vector;
  limit: number;
  filter?: Record<string, unknown> | undefined;
  /** What a neighbor is: an object with its best part (default), or each part, without averages. */
  group?: 'object' | 'part' | undefined;
  /** Id of an object to leave out. */
  except?: string | undefined;
}

/** An object with its best part. Smaller distances are nearer. */
export interface Neighbor {
  id: string;
  distance: number;
  /** Null for the average of all parts. */
  part: number | null;
}

/** Rows per fetch after the first; the rows are small because they contain neither vectors nor payloads. */
const FETCH_ROWS = 1_000;

/** Condition for an object `o` that a search may return. */
export function found({ filter, except }: Pick<Neighborhood, 'filter' | 'except'>): RawBuilder<unknown> {
  const passes = compileFilter(filter, sql`o.metadata`);
  const others = except === undefined ? sql`` : sql`and o.object_id <> ${except}`;
  return sql`not o.deleted and not o.failed ${passes ? sql`and ${passes.condition}` : sql``} ${others}`;
}

/**
 * Compares every part that passes the filter, and returns the nearest objects, best first. The result is exact.
 * Postgres groups by object, so memory does not grow with the parts of one object.
 */
export async function nearestOfAll(trx: Trx, index: IndexRow, wanted: Neighborhood): Promise<Neighbor[]> {
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

/** Rows of the first fetch: an object may have several parts. */
const firstRows = (limit: number) => limit * 2 + 10;

/** Returns the value of `hnsw.ef_search` for a search with this limit. */
export function defaultEfSearch(index: IndexRow, limit: number): number {
  return Math.min(LIMITS.efSearch, Math.max(40, firstRows(netOf(index, limit))));
}

/** How many neighbors to gather for each one that is wanted, and at least, by the precision of the index. */
const WIDER = { full: 4, half: 4, bit: 10 } as const;
const MIN_NET = 50;
/** As many as the widest search in the index finds. */
const MAX_NET = (LIMITS.efSearch - 10) / 2;

/**
 * Returns how many neighbors a search gathers from the HNSW index. If that has less than the stored vectors, these decide
 * among more candidates: as many as a search of the given width finds, or by default as the precision requires.
 */
export function netOf(index: IndexRow, limit: number, efSearch?: number): number {
  const hnsw = resolveVectorIndex(index);
  const isCoarse = hnsw.kind === 'hnsw' && (hnsw.precision === 'bit' || hnsw.dimensions < index.model.dimensions);
  if (!isCoarse) return limit;
  const usual = Math.min(MAX_NET, Math.max(MIN_NET, limit * WIDER[hnsw.precision]));
  return Math.max(limit, efSearch === undefined ? usual : Math.floor((efSearch - 10) / 2));
}

/**
 * Reads the HNSW index from the nearest part on until there are enough different objects or the scan ends. The result
 * is approximate, and fewer objects than requested do not mean that there are no more. This is one pass over the index:
 * further parts of known objects are skipped, and nothing is read twice. The order is that of the stored vectors, also
 * where the index has less of them.
 */
export async function nearestByIndex(
  trx: Trx,
  index: IndexRow,
  wanted: Neighborhood,
  { efSearch }: { efSearch?: number | undefined } = {},
): Promise<Neighbor[]> {
  const { objects, parts } = tablesOf(index.no);
  const net = netOf(index, wanted.limit, efSearch);
  const first = firstRows(net);
  const best = new Map<string, Neighbor>();
  // Rolling back restores the settings and closes the cursor.
  await sql`savepoint by_index`.execute(trx);
  await scanByIndex(trx, efSearch ?? defaultEfSearch(index, wanted.limit));
  // The condition is a scalar subquery: with a join, Postgres would choose plans without the index.
  await sql`
    declare nearest_parts no scroll cursor for
    select p.object_id as id, ${storedDistance(index, wanted.vector)} as distance,
      case when p.is_average then null else p.part end as part
    from ${parts} p
    where (
      select ${found(wanted)}
      from ${objects} o
      where o.index_no = ${index.no} and o.object_id = p.object_id
    )
    order by ${indexedDistance(index, wanted.vector)}`.execute(trx);
  for (let fetch = first; best.size < net; fetch = FETCH_ROWS) {
    const { rows } = await sql<Neighbor>`fetch forward ${sql.lit(fetch)} from nearest_parts`.execute(trx);
    keepBest(best, rows, wanted);
    if (rows.length < fetch) break;
  }
  await sql`rollback to savepoint by_index`.execute(trx);
  return [...best.values()].sort(byDistance).slice(0, wanted.limit);
}

/**
 * Makes the next statements of a transaction read parts in the order of the HNSW index, until a rollback. A sort would
 * compare all parts; a relaxed order loses no part that the scan reaches late.
 */
export async function scanByIndex(trx: Trx, efSearch: number): Promise<void> {
  await sql`
    select set_config('enable_sort', 'off', true), set_config('enable_seqscan', 'off', true),
      set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', ${String(efSearch)}, true)`.execute(
    trx,
  );
}

/** Keeps the nearest row of each neighbor. The angle to a vector of zeros is no distance. */
export function keepBest(best: Map<string, Neighbor>, rows: readonly Neighbor[], wanted: Neighborhood): void {
  for (const row of rows) {
    const key = keyOf(row, wanted);
    const before = best.get(key);
    if (key !== '' && !Number.isNaN(row.distance) && (!before || row.distance < before.distance)) best.set(key, row);
  }
}

/** Returns what rows of the same neighbor have in common; nothing for one that is none. */
function keyOf({ id, part }: Neighbor, { group }: Pick<Neighborhood, 'group'>): string {
  if (group !== 'part') return id;
  return part === null ? '' : `${part} ${id}`;
}

type Place = Pick<Neighbor, 'id' | 'distance'> & Partial<Pick<Neighbor, 'part'>>;

/** Orders neighbors as Postgres does: by distance, then by the bytes of the id, then by the part. */
export function byDistance(left: Place, right: Place): number {
  if (left.distance !== right.distance) return left.distance < right.distance ? -1 : 1;
  return Buffer.compare(Buffer.from(left.id), Buffer.from(right.id)) || (left.part ?? 0) - (right.part ?? 0);
}
