import { type RawBuilder, sql } from 'kysely';
import { LIMITS } from '../contract/limits.ts';
import { resolveVectorIndex } from '../contract/vector-index.ts';
import type { Vector } from '../contract/vectors.ts';
import { compileFilter } from './filters/compile.ts';
import type { IndexRow } from './schema.ts';

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

/** Condition for an object `o` that a search may return. */
export function found({ filter, except }: Pick<Neighborhood, 'filter' | 'except'>): RawBuilder<unknown> {
  const passes = compileFilter(filter, sql`o.metadata`);
  const others = except === undefined ? sql`` : sql`and o.object_id <> ${except}`;
  return sql`not o.deleted and not o.failed ${passes ? sql`and ${passes.condition}` : sql``} ${others}`;
}

/** Rows of the first fetch: an object may have several parts. */
export const firstRows = (limit: number) => limit * 2 + 10;

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
  if (hnsw.kind === 'none' || !isCoarse(index)) return limit;
  const usual = Math.min(MAX_NET, Math.max(MIN_NET, limit * WIDER[hnsw.precision]));
  return Math.max(limit, efSearch === undefined ? usual : Math.floor((efSearch - 10) / 2));
}

/** Whether the HNSW index has less than the stored vectors, so that its order is only roughly theirs. */
export function isCoarse(index: IndexRow): boolean {
  const hnsw = resolveVectorIndex(index);
  return hnsw.kind === 'hnsw' && (hnsw.precision === 'bit' || hnsw.dimensions < index.model.dimensions);
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
