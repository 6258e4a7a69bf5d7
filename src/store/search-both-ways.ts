import { sql } from 'kysely';
import type { Vector } from '../contract/vectors.ts';
import type { Db, Trx } from './database.ts';
import { scoreOf } from './hits.ts';
import { defaultEfSearch, type Neighbor, nearestByIndex, nearestOfAll } from './nearest.ts';
import { readTables, tablesOf } from './partitions.ts';
import { vectorText } from './protocol/object-parts.ts';
import type { IndexRow } from './schema.ts';
import { isVectorIndexReady, vectorExpression, vectorIndexKind } from './vector-index.ts';

export interface BothWays {
  /** Ids of the nearest objects, best first, and the time in ms. */
  ids: string[];
  exactMs: number;
  /** Empty without an HNSW index. `found`: how many of the exact results it finds. */
  hnsw: { efSearch: number; ms: number; found: number }[];
}

/** The first read; more parts are read only if several of them belong to the same objects. */
const partsFor = (limit: number) => limit * 4 + 20;
const MORE = 8;
/** From here on, grouping all parts by object costs less than reading more of them. */
const MAX_PARTS = 20_000;
/** Scores closer than this are equal: any of equally near objects is correct. */
const SAME_SCORE = 1e-4;

/**
 * Finds the nearest objects exactly and through the HNSW index, once for each value of `ef_search`, in one snapshot.
 * `parallel: false` leaves the other processors to live work. Errors: `IndexNotFound`, `InvalidInput` for a vector with
 * the wrong number of dimensions.
 */
export async function searchBothWays(
  db: Db,
  index: IndexRow,
  request: { vector: Vector; limit: number; efSearch: readonly number[]; parallel: boolean },
): Promise<BothWays> {
  const { vector, limit, parallel } = request;
  const wanted = { vector, limit };
  const search = async (trx: Trx): Promise<BothWays> => {
    if (!parallel) await sql`set local max_parallel_workers_per_gather = 0`.execute(trx);
    const [exact, exactMs] = await timed(() => nearestOfParts(trx, index, wanted));
    const ids = exact.map(({ id }) => id);
    const hasIndex =
      vectorIndexKind(index.model.dimensions) !== 'none' && (await isVectorIndexReady(trx as unknown as Db, index));
    if (!hasIndex) return { ids, exactMs, hnsw: [] };
    const hnsw: BothWays['hnsw'] = [];
    for (const efSearch of new Set([defaultEfSearch(limit), ...request.efSearch])) {
      const [chosen, ms] = await timed(() => nearestByIndex(trx, index, wanted, { efSearch }));
      hnsw.push({ efSearch, ms, found: countFound(index, exact, chosen) });
    }
    return { ids, exactMs, hnsw };
  };
  return readTables(index, () => db.transaction().setIsolationLevel('repeatable read').execute(search));
}

function countFound(index: IndexRow, exact: readonly Neighbor[], chosen: readonly Neighbor[]): number {
  const worst = scoreOf(index, exact.at(-1)?.distance ?? 0);
  const good = chosen.filter(({ distance }) => scoreOf(index, distance) >= worst - SAME_SCORE);
  return Math.min(exact.length, good.length);
}

async function timed<T>(work: () => Promise<T>): Promise<[result: T, ms: number]> {
  const startMs = performance.now();
  const result = await work();
  return [result, performance.now() - startMs];
}

/**
 * Returns what `nearestOfAll` returns, but compares the parts before it looks at their objects: without a filter this
 * saves the join and the grouping of all of them.
 */
async function nearestOfParts(
  trx: Trx,
  index: IndexRow,
  wanted: { vector: Vector; limit: number },
): Promise<Neighbor[]> {
  const { objects, parts } = tablesOf(index.no);
  const { column, type, operator } = vectorExpression(index);
  for (let most = partsFor(wanted.limit); most <= MAX_PARTS; most *= MORE) {
    // Plus zero: not an order that the HNSW index knows.
    const { rows } = await sql<Neighbor & { found: boolean }>`
      select p.id, p.distance, p.part, o.object_id is not null as found
      from (
        select object_id as id, (${column} ${operator} ${vectorText(wanted.vector)}::${type}) + 0.0 as distance,
          case when is_average then null else part end as part
        from ${parts}
        where index_no = ${index.no}
        order by distance, object_id
        limit ${most}
      ) p
      left join ${objects} o
        on o.index_no = ${index.no} and o.object_id = p.id and not o.deleted and not o.failed
      order by p.distance, p.id`.execute(trx);
    const best = new Map<string, Neighbor>();
    for (const { found, ...row } of rows) {
      if (found && !Number.isNaN(row.distance) && !best.has(row.id)) best.set(row.id, row);
    }
    if (best.size >= wanted.limit || rows.length < most) return [...best.values()].slice(0, wanted.limit);
  }
  return nearestOfAll(trx, index, wanted);
}
