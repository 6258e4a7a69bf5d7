import { sql } from 'kysely';
import { resolveVectorIndex } from '../contract/vector-index.ts';
import type { Vector } from '../contract/vectors.ts';
import { countFound } from './count-found.ts';
import type { Db, Trx } from './database.ts';
import { nearestByIndex, nearestOfAll } from './nearest.ts';
import { type InPieces, type NearObject, nearestOfEach } from './nearest-of-each.ts';
import { defaultEfSearch } from './neighborhood.ts';
import { readTables } from './partitions.ts';
import type { IndexRow } from './schema.ts';
import { timeOf } from './time-of.ts';
import { isVectorIndexReady } from './vector-index.ts';

export interface BothWays {
  /** Ids of the nearest objects, best first. */
  ids: string[];
  /** Time of the exact search in ms; null if it ran together with others. */
  exactMs: number | null;
  /** Empty without an HNSW index. `found`: how many of the exact results it finds. */
  hnsw: { efSearch: number; ms: number; found: number }[];
}

/** Searches an index with several vectors, in one snapshot; returns one result for each. */
export type SearchBothWays = (request: {
  vectors: readonly Vector[];
  /** False leaves the other processors to live work, and makes statements short. */
  parallel: boolean;
  inPieces: InPieces;
}) => Promise<BothWays[]>;

/** Duration of a statement to aim at beside live work: planning it takes some milliseconds. */
const SHORT_STATEMENT_MS = 60;
/** Time per call for exact searches one by one, whose latency is reported. A longer one uses up that of later calls. */
const TIMED_MS = 50;

/**
 * Creates a search that finds the nearest objects exactly and through the HNSW index, once for each value of
 * `ef_search`. Errors of the search: `IndexNotFound`.
 */
export function createSearchBothWays(
  db: Db,
  index: IndexRow,
  { limit, efSearch }: { limit: number; efSearch: readonly number[] },
): SearchBothWays {
  const widths = [...new Set([defaultEfSearch(index, limit), ...efSearch])];
  let leftMs = 0;
  return ({ vectors, parallel, inPieces }) => {
    const search = async (trx: Trx): Promise<BothWays[]> => {
      if (!parallel) await sql`set local max_parallel_workers_per_gather = 0`.execute(trx);
      const timed: { exact: NearObject[]; exactMs: number | null }[] = [];
      for (leftMs = Math.min(0, leftMs) + TIMED_MS; leftMs > 0 && timed.length < vectors.length; ) {
        const vector = vectors[timed.length] as Vector;
        const [exact, exactMs] = await inPieces(() => timeOf(() => nearestOfAll(trx, index, { vector, limit })));
        timed.push({ exact, exactMs });
        leftMs -= exactMs;
      }
      const statementMs = parallel ? undefined : SHORT_STATEMENT_MS;
      const left = vectors.slice(timed.length);
      const others = await nearestOfEach(trx, index, { vectors: left, limit, inPieces, statementMs });
      const hasIndex =
        resolveVectorIndex(index).kind !== 'none' && (await isVectorIndexReady(trx as unknown as Db, index));
      const found: BothWays[] = [];
      for (const { exact, exactMs } of [...timed, ...others.map((exact) => ({ exact, exactMs: null }))]) {
        const wanted = { vector: vectors[found.length] as Vector, limit };
        const hnsw = hasIndex ? await inPieces(() => searchByIndex(trx, index, { wanted, widths, exact })) : [];
        found.push({ ids: exact.map(({ id }) => id), exactMs, hnsw });
      }
      return found;
    };
    return readTables(index, () => db.transaction().setIsolationLevel('repeatable read').execute(search));
  };
}

async function searchByIndex(
  trx: Trx,
  index: IndexRow,
  given: { wanted: { vector: Vector; limit: number }; widths: readonly number[]; exact: readonly NearObject[] },
): Promise<BothWays['hnsw']> {
  const hnsw: BothWays['hnsw'] = [];
  for (const efSearch of given.widths) {
    const [chosen, ms] = await timeOf(() => nearestByIndex(trx, index, given.wanted, { efSearch }));
    hnsw.push({ efSearch, ms, found: countFound(index, given.exact, chosen) });
  }
  return hnsw;
}
