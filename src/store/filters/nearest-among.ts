import { sql } from 'kysely';
import { LIMITS } from '../../contract/limits.ts';
import { isDistributed } from '../citus/layout.ts';
import type { Trx } from '../database.ts';
import { byDistance, found, isCoarse, keepBest, type Neighbor, type Neighborhood, netOf } from '../neighborhood.ts';
import { tablesOf } from '../partitions.ts';
import { beginScan, endScan } from '../scan-by-index.ts';
import type { IndexRow } from '../schema.ts';
import { indexedDistance, storedDistance } from '../vector-expressions.ts';

/** Nearest parts to look at for each requested object, their usual maximum, and what a large limit needs. */
const PARTS_PER_OBJECT = 30;
const USUAL_PARTS = 500;
const MIN_PARTS_PER_OBJECT = 6;
/** Share of the objects that pass, in the order of a coarse index, within which the best of them must be. */
const SURE_SHARE = 0.5;
/** Width of the scan for each of these parts: one as wide as its result misses the last of them. */
const WIDTH = 2;
const MIN_WIDTH = 100;

/**
 * Reads the nearest parts from the HNSW index whatever the filter, and returns the objects among them that pass, best
 * first. If they are as many as requested, they are missed no more often than without a filter. If they are not
 * (`isEnough`), those that pass are rare near the vector or far from it. A coarse index tells far ones apart badly: if it has
 * the best of them late in its order, better ones may follow.
 */
export async function nearestAmong(
  trx: Trx,
  index: IndexRow,
  wanted: Neighborhood,
  { efSearch }: { efSearch?: number | undefined },
): Promise<{ neighbors: Neighbor[]; isEnough: boolean }> {
  const { limit } = wanted;
  const net = netOf(index, limit, efSearch);
  const count = Math.min(PARTS_PER_OBJECT * net, Math.max(USUAL_PARTS, MIN_PARTS_PER_OBJECT * net));
  const width = efSearch ?? Math.min(LIMITS.efSearch, Math.max(MIN_WIDTH, WIDTH * count));
  const { objects, parts } = tablesOf(index.no);
  // Citus joins, and cannot look up object by object.
  const isSpread = await isDistributed(trx);
  const isRough = isCoarse(index);
  await beginScan(trx, width);
  const { rows } = await sql<Indexed>`
    select near.id, near.distance, near.part, near.indexed
    from (
      select p.object_id as id, ${storedDistance(index, wanted.vector)} as distance,
        case when p.is_average then null else p.part end as part,
        ${isRough ? indexedDistance(index, wanted.vector) : sql`0`} as indexed
      from ${parts} p
      order by ${indexedDistance(index, wanted.vector)}
      limit ${count}
    ) near
    ${isSpread ? sql`join ${objects} o on o.index_no = ${index.no} and o.object_id = near.id` : sql``}
    where near.distance <> 'NaN' -- the angle to a vector of zeros
      and ${
        isSpread
          ? found(wanted)
          : sql`(
              select ${found(wanted)}
              from ${objects} o
              where o.index_no = ${index.no} and o.object_id = near.id
            )`
      }`.execute(trx);
  await endScan(trx);
  const best = new Map<string, Indexed>();
  keepBest(best, rows, wanted);
  const passing = [...best.values()].sort(byDistance);
  const neighbors = passing.slice(0, limit);
  const isSure = !isRough || areEarly(neighbors, passing);
  return { neighbors: neighbors.map(({ indexed, ...neighbor }) => neighbor), isEnough: best.size >= net && isSure };
}

/** A neighbor with the distance by which a coarse index orders it; 0 in another one. */
interface Indexed extends Neighbor {
  indexed: number;
}

/** Whether the index has the best of those that pass early among them. */
function areEarly(neighbors: readonly Indexed[], passing: readonly Indexed[]): boolean {
  const last = neighbors.reduce((max, { indexed }) => Math.max(max, indexed), Number.NEGATIVE_INFINITY);
  return passing.filter(({ indexed }) => indexed <= last).length <= SURE_SHARE * passing.length;
}
