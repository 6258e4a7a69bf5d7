import { sql } from 'kysely';
import { ReembedError } from '../contract/errors.ts';
import type { Hit } from '../contract/objects.ts';
import { codeOf, type Db, type Trx } from './database.ts';
import { readHits } from './hits.ts';
import { type Neighbor, type Neighborhood, nearestByIndex, nearestOfAll, passAtLeast } from './nearest.ts';
import { readTables } from './partitions.ts';
import type { IndexRow } from './schema.ts';
import { isVectorIndexReady, vectorIndexKind } from './vector-index.ts';

export interface SearchRequest extends Neighborhood {
  /** When the search must have ended, as `Date.now()` counts; null: never. */
  untilMs?: number | null;
  /** Kept back of this time, for reading the hits when the comparison of all parts takes too long; 500 by default. */
  readMs?: number;
}

export interface Found {
  /** Best first. */
  hits: Hit[];
  /** Every part that passes the filter was compared. Otherwise the HNSW index chose, which may miss a near object. */
  exact: boolean;
  /** False: the time ended before it was certain that no more objects pass the filter. */
  complete: boolean;
}

/** As few parts as this cost no more to compare than the HNSW index costs to look for those that pass a filter. */
const FEW_PARTS = 4_000;
const READ_MS = 500;

const QUERY_CANCELED = '57014';

/**
 * The nearest objects, best first, each once with its best part. A search through the HNSW index that finds fewer than
 * were asked for is followed by a comparison of all parts: a scan that ran dry says nothing about what it did not
 * reach. When the time ends during that comparison, what was found is returned as not complete.
 *
 * Errors: `InvalidInput` for a vector of another dimension, `IndexNotFound`, `SearchTimeout`.
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
    // One snapshot: nothing that was found is gone when it is read.
    return await readTables(index, () => db.transaction().setIsolationLevel('repeatable read').execute(search));
  } catch (error) {
    if (codeOf(error) !== QUERY_CANCELED || !clock.isLimited) throw error;
    throw searchTimeout('database', { cause: error });
  }
}

/** Which part of a search took too long. */
export function searchTimeout(what: 'model' | 'database', options: { cause?: unknown } = {}): ReembedError {
  const why =
    what === 'model'
      ? 'the embedding model did not answer in the time of the search'
      : 'the database did not find the nearest objects in the time of the search';
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
    // Nothing at all would look like an answer.
    if (codeOf(error) !== QUERY_CANCELED || !clock.isLimited || neighbors.length === 0) throw error;
    await sql`rollback to savepoint compare_all`.execute(trx);
    return { neighbors, exact: false, complete: false };
  }
}

export function requireDimensions(index: IndexRow, { vector }: Pick<SearchRequest, 'vector'>): void {
  const { dimensions } = index.model;
  if (vector.length === dimensions) return;
  throw new ReembedError(
    'InvalidInput',
    `the vector has ${vector.length} dimensions, ${index.name} has ${dimensions}`,
    { issues: [{ path: 'vector', message: `must have ${dimensions} numbers` }] },
  );
}

/** Keeps the statements of a transaction within what is left of the time of a search. */
class Clock {
  private readonly untilMs: number | null;

  constructor(untilMs: number | null) {
    this.untilMs = untilMs;
  }

  get isLimited(): boolean {
    return this.untilMs !== null;
  }

  /** Postgres cancels each of the next statements at the end of the time, or `beforeMs` before. */
  async limit(trx: Trx, beforeMs = 0): Promise<void> {
    if (this.untilMs === null) return;
    const leftMs = Math.ceil(this.untilMs - Date.now()) - beforeMs;
    if (leftMs <= 0 && beforeMs === 0) throw searchTimeout('database');
    await sql`select set_config('statement_timeout', ${String(Math.max(1, leftMs))}, true)`.execute(trx);
  }
}
