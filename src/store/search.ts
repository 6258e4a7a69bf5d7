import { sql } from 'kysely';
import { invalidField, ReembedError } from '../contract/errors.ts';
import type { Hit } from '../contract/objects.ts';
import type { Db, Trx } from './database.ts';
import { readHits } from './hits.ts';
import { type Neighbor, type Neighborhood, nearestByIndex, nearestOfAll, passAtLeast } from './nearest.ts';
import { readTables } from './partitions.ts';
import type { IndexRow } from './schema.ts';
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
  const clock = new Clock(request.untilMs ?? null);
  const search = async (trx: Trx): Promise<Found> => {
    const { neighbors, ...how } = await findNeighbors(trx, index, request, clock);
    await clock.limit(trx);
    return { hits: await readHits(trx, index, neighbors), ...how };
  };
  try {
    // One snapshot, so that everything found still exists when it is read.
    return await readTables(index, () => db.transaction().setIsolationLevel('repeatable read').execute(search));
  } catch (error) {
    if (codeOf(error) !== SQLSTATE.queryCanceled || !clock.isLimited) throw error;
    throw searchTimeout('database', { cause: error });
  }
}

/** Creates the error for a search whose model or database took too long. */
export function searchTimeout(what: 'model' | 'database', options: { cause?: unknown } = {}): ReembedError {
  const why =
    what === 'model'
      ? 'the embedding model did not answer within the time limit of the search'
      : 'the database did not find the nearest objects within the time limit of the search';
  return new ReembedError('SearchTimeout', why, { ...options, reason: what });
}

interface Neighbors {
  neighbors: Neighbor[];
  exact: boolean;
  complete: boolean;
}

async function findNeighbors(trx: Trx, index: IndexRow, request: SearchRequest, clock: Clock): Promise<Neighbors> {
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

/** Keeps the statements of a transaction within the time limit of a search. */
class Clock {
  private readonly untilMs: number | null;

  constructor(untilMs: number | null) {
    this.untilMs = untilMs;
  }

  get isLimited(): boolean {
    return this.untilMs !== null;
  }

  /** Makes Postgres cancel each of the next statements at the deadline, or `beforeMs` before it. */
  async limit(trx: Trx, beforeMs = 0): Promise<void> {
    if (this.untilMs === null) return;
    const leftMs = Math.ceil(this.untilMs - Date.now()) - beforeMs;
    if (leftMs <= 0 && beforeMs === 0) throw searchTimeout('database');
    await sql`select set_config('statement_timeout', ${String(Math.max(1, leftMs))}, true)`.execute(trx);
  }
}
