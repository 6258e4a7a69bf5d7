import { sql } from 'kysely';
import { invalidField } from '../contract/errors.ts';
import { resolveVectorIndex, usesHalf } from '../contract/vector-index.ts';
import { HALF_MAX } from '../contract/vectors.ts';
import type { Db, Trx } from './database.ts';
import { nearestPassing } from './filters/nearest-passing.ts';
import { type FoundHit, type HowToRead, readHits } from './hits.ts';
import { nearestByIndex, nearestOfAll } from './nearest.ts';
import { isCoarse, type Neighbor, type Neighborhood } from './neighborhood.ts';
import { readTables } from './partitions.ts';
import { cutRanking, depthOf, type Ranking, reachesMinScore, requireMinScore } from './ranking.ts';
import type { IndexRow } from './schema.ts';
import { SearchClock, searchTimeout } from './search-clock.ts';
import { codeOf, SQLSTATE } from './sqlstate.ts';
import { vectorIndexName } from './vector-index.ts';
import { validIndex } from './vector-index-session.ts';

export interface SearchRequest extends Neighborhood, Ranking, HowToRead {
  /** Deadline of the search, as in `Date.now()`; null means none. */
  untilMs?: number | null;
  /** Compares every part that passes, without the HNSW index. */
  exact?: boolean | undefined;
  /** Width of the search in the HNSW index; default: by the limit. */
  ef?: number | undefined;
  /** Milliseconds reserved for reading the hits if comparing all parts takes too long; default: 500. */
  readMs?: number;
}

export interface Found {
  /** Best first. */
  hits: FoundHit[];
  /**
   * True if every part that passes the filter was compared; false if the HNSW index was used, which may miss objects.
   */
  exact: boolean;
  /** False if time ran out before it was certain that no more objects pass the filter. */
  complete: boolean;
}

const READ_MS = 500;

/**
 * Finds the nearest objects, best first, each once with its best part. If the HNSW index returns fewer than requested,
 * or if those that pass a filter are rare near the vector, all that pass are compared, because a scan that ends early
 * says nothing about what it did not reach. If time runs out during that comparison, returns what was found, marked as
 * incomplete if it is less than requested.
 *
 * Errors: `InvalidInput` for a vector with the wrong number of dimensions, `IndexNotFound`, `SearchTimeout`.
 */
export async function searchObjects(db: Db, index: IndexRow, request: SearchRequest): Promise<Found> {
  requireDimensions(index, request);
  requireMinScore(index, request);
  return inSearch(db, index, request.untilMs ?? null, async (trx, clock) => {
    const ranked = { ...request, limit: depthOf(request) };
    const { neighbors, ...how } = await findNeighbors(trx, index, ranked, clock);
    await clock.limit(trx);
    return { hits: await readHits(trx, index, cutRanking(index, neighbors, request), request), ...how };
  });
}

/**
 * Runs a search in one snapshot, so that everything found still exists when it is read, with a time limit. Errors:
 * `IndexNotFound`, `SearchTimeout`.
 */
export async function inSearch<T>(
  db: Db,
  index: IndexRow,
  untilMs: number | null,
  search: (trx: Trx, clock: SearchClock) => Promise<T>,
): Promise<T> {
  const clock = new SearchClock(untilMs);
  const run = (trx: Trx) => search(trx, clock);
  try {
    return await readTables(index, () => db.transaction().setIsolationLevel('repeatable read').execute(run));
  } catch (error) {
    if (codeOf(error) !== SQLSTATE.queryCanceled || !clock.isLimited) throw error;
    throw searchTimeout('database', { cause: error });
  }
}

export interface Neighbors {
  neighbors: Neighbor[];
  exact: boolean;
  complete: boolean;
}

/** Finds the nearest objects, by the HNSW index or by comparing all that passes the filter. */
export async function findNeighbors(
  trx: Trx,
  index: IndexRow,
  request: SearchRequest,
  clock: SearchClock,
): Promise<Neighbors> {
  const { limit, filter, ef: efSearch } = request;
  const hasIndex = resolveVectorIndex(index).kind !== 'none';
  const isReady = await clock.limitAndRead(trx, validIndex(vectorIndexName(index.no)));
  if (request.exact || !hasIndex || !isReady) {
    return { neighbors: await nearestOfAll(trx, index, request), exact: true, complete: true };
  }
  const isFiltered = filter !== undefined && Object.keys(filter).length > 0;
  // No more neighbors are wanted, or none that the scan has not passed.
  const isAll = (neighbors: readonly Neighbor[]) =>
    neighbors.length >= limit || reachesMinScore(index, neighbors, request);
  if (!isFiltered) {
    const neighbors = await nearestByIndex(trx, index, request, { efSearch });
    if (isAll(neighbors)) return { neighbors, exact: false, complete: true };
    return compareAll(trx, index, request, { clock, neighbors });
  }
  const passing = await nearestPassing(trx, index, request, { efSearch, limitTime: () => clock.limit(trx) });
  const { neighbors } = passing;
  // A coarse index has not passed what its order leaves behind.
  const isPast = !isCoarse(index) && reachesMinScore(index, neighbors, request);
  if (passing.kind === 'sparse' && !isPast) return compareAll(trx, index, request, { clock, ...passing });
  return { neighbors, exact: passing.kind === 'exact', complete: true };
}

interface Before {
  clock: SearchClock;
  /** What was found so far. */
  neighbors: Neighbor[];
  /** A faster comparison of all that passes; null if it is not faster. */
  compare?: () => Promise<Neighbor[] | null>;
}

/** Compares all that passes. If time runs out, returns what was found before. */
async function compareAll(
  trx: Trx,
  index: IndexRow,
  request: SearchRequest,
  { clock, neighbors, compare }: Before,
): Promise<Neighbors> {
  await sql`savepoint compare_all`.execute(trx);
  try {
    await clock.limit(trx, request.readMs ?? READ_MS);
    const few = await compare?.();
    await clock.limit(trx, request.readMs ?? READ_MS);
    return { neighbors: few ?? (await nearestOfAll(trx, index, request)), exact: true, complete: true };
  } catch (error) {
    // An empty result would look like an answer.
    if (codeOf(error) !== SQLSTATE.queryCanceled || !clock.isLimited || neighbors.length === 0) throw error;
    await sql`rollback to savepoint compare_all`.execute(trx);
    return { neighbors, exact: false, complete: neighbors.length >= request.limit };
  }
}

function requireDimensions(index: IndexRow, { vector }: Pick<SearchRequest, 'vector'>): void {
  const { dimensions } = index.model;
  if (vector.length === dimensions) {
    if (!usesHalf(index) || vector.every((value) => Math.abs(value) <= HALF_MAX)) return;
    const expected = `must have numbers of at most ${HALF_MAX}`;
    throw invalidField('vector', expected, `the vector ${expected}: ${index.name} has vectors in half precision`);
  }
  throw invalidField(
    'vector',
    `must have ${dimensions} numbers`,
    `the vector has ${vector.length} dimensions, ${index.name} has ${dimensions}`,
  );
}
