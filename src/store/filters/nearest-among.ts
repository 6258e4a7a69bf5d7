import { sql } from 'kysely';
import { LIMITS } from '../../contract/limits.ts';
import { isDistributed } from '../citus/layout.ts';
import type { Trx } from '../database.ts';
import { byDistance, found, keepBest, type Neighbor, type Neighborhood, netOf } from '../neighborhood.ts';
import { tablesOf } from '../partitions.ts';
import { beginScan, endScan } from '../scan-by-index.ts';
import type { IndexRow } from '../schema.ts';
import { indexedDistance, storedDistance } from '../vector-expressions.ts';

/** Nearest parts to look at for each requested object, their usual maximum, and what a large limit needs. */
const PARTS_PER_OBJECT = 30;
const USUAL_PARTS = 500;
const MIN_PARTS_PER_OBJECT = 6;
/** Width of the scan for each of these parts: one as wide as its result misses the last of them. */
const WIDTH = 2;
const MIN_WIDTH = 100;

/**
 * Reads the nearest parts from the HNSW index whatever the filter, and returns the objects among them that pass, best
 * first. If they are as many as requested, they are missed no more often than without a filter. If they are not
 * (`isEnough`), those that pass are rare near the vector or far from it.
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
  await beginScan(trx, width);
  const { rows } = await sql<Neighbor>`
    select near.id, near.distance, near.part
    from (
      select p.object_id as id, ${storedDistance(index, wanted.vector)} as distance,
        case when p.is_average then null else p.part end as part
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
  const best = new Map<string, Neighbor>();
  keepBest(best, rows, wanted);
  const neighbors = [...best.values()].sort(byDistance).slice(0, limit);
  return { neighbors, isEnough: best.size >= net };
}
