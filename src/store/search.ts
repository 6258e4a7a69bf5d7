import { sql } from 'kysely';
import { invalidField } from '../contract/errors.ts';
import type { Hit } from '../contract/objects.ts';
import type { Db, Trx } from './database.ts';
import { readHits } from './hits.ts';
import { type Neighbor, type Neighborhood, nearestByIndex, nearestOfAll, passAtLeast } from './nearest.ts';
import { readTables } from './partitions.ts';
import type { IndexRow } from './schema.ts';
import { SearchClock, searchTimeout } from './search-clock.ts';
import { codeOf, SQLSTATE } from './sqlstate.ts';
import { isVectorIndexReady, vectorIndexKind } from './vector-index.ts';

export interface SearchRequest extends Neighborhood {
  /** Deadline of the search, as in `Date.now()`; null means none. */
  untilMs?: number | null;
  /** Milliseconds reserved for reading the hits if comparing all parts takes too long; default: 500. */
  readMs?: number;
}

export interface Found {
  /** Best first. */
  hits: Hit[];
  /**
   * True if every part that passes the filter was compared; false if the HNSW index was used, which may miss objects.
   */
  exact: boolean;
  /** False if time ran out before it was certain that no more objects pass the filter. */
  complete: boolean;
}

/** Up to this many parts, comparing all costs no more than searching the HNSW index with a filter. */
const FEW_PARTS = 4_000;
const READ_MS = 500;

/**
 * Finds the nearest objects, best first, each once with its best part. If the HNSW index returns fewer than requested,
 * all parts are compared, because a scan that ends early says nothing about what it did not reach. If time runs out
 * during that comparison, returns what was found, marked as incomplete.
 *
 * Errors: `InvalidInput` for a vector with the wrong number of dimensions, `IndexNotFound`, `SearchTimeout`.
 */
export async function searchObjects(db: Db, index: IndexRow, request: SearchRequest): Promise<Found> {
  requireDimensions(index, request);
  return inSearch(db, index, request.untilMs ?? null, async (trx, clock) => {
    const { neighbors, ...how } = await findNeighbors(trx, index, request, clock);
    await clock.limit(trx);
    return { hits: await readHits(trx, index, neighbors), ...how };
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

/** Finds the nearest objects, by the HNSW index or by comparing all. */
export async function findNeighbors(
  trx: Trx,
  index: IndexRow,
  request: SearchRequest,
  clock: SearchClock,
): Promise<Neighbors> {
  const compareAll = async (): Promise<Neighbors> => {
    await clock.limit(trx);
    return { neighbors: await nearestOfAll(trx, index, request), exact: true, complete: true };
  };
  await clock.limit(trx);
  if (vectorIndexKind(index.model.dimensions) === 'none' || !(await isVectorIndexReady(trx, index)))
    return compareAll();
  if (request.filter && !(await passAtLeast(trx, index, request, FEW_PARTS))) return compareAll();

  await clock.limit(trx);
  const neighbors = await nearestByIndex(trx, index, request);
  if (neighbors.length >= request.limit) return { neighbors, exact: false, complete: true };
  await sql`savepoint compare_all`.execute(trx);
  try {
    await clock.limit(trx, request.readMs ?? READ_MS);
    return { neighbors: await nearestOfAll(trx, index, request), exact: true, complete: true };
  } catch (error) {
    // An empty result would look like an answer.
    if (codeOf(error) !== SQLSTATE.queryCanceled || !clock.isLimited || neighbors.length === 0) throw error;
    await sql`rollback to savepoint compare_all`.execute(trx);
    return { neighbors, exact: false, complete: false };
  }
}

function requireDimensions(index: IndexRow, { vector }: Pick<SearchRequest, 'vector'>): void {
  const { dimensions } = index.model;
  if (vector.length === dimensions) return;
  throw invalidField(
    'vector',
    `must have ${dimensions} numbers`,
    `the vector has ${vector.length} dimensions, ${index.name} has ${dimensions}`,
  );
}
