import { sql } from 'kysely';
import type { SlicePlan } from '../../contract/reindex-state.ts';
import type { Db } from '../database.ts';
import { tablesOf } from '../partitions.ts';
import type { KeyRange } from './copy.ts';

export interface SliceLimits {
  /** Min and max objects per slice. Fewer only if the index has fewer; more only to stay within `maxSlices`. */
  minObjects: number;
  maxObjects: number;
  maxSlices: number;
  /** Max batches of one slice that are copied in parallel. */
  maxInFlight: number;
  /**
   * Batches of all slices that are copied in parallel; the number of slices is chosen so that the last ones end
   * together.
   */
  lanes: number;
  /** Excludes keys up to this one, which are already copied. */
  after?: string | null;
  /** Share of the keys to cut; default: all of them. */
  share?: number | undefined;
}

/** Limits of the slices of a reindex, apart from what its settings say. */
export const SLICES = { minObjects: 500, maxObjects: 25_000, maxSlices: 400, maxInFlight: 4 } as const;

/** Returns how many objects each slice gets, and how many batches each copies in parallel; `total` objects are left. */
export function sizeSlices(
  total: number,
  { minObjects, maxObjects, maxSlices, maxInFlight, lanes }: Omit<SliceLimits, 'after' | 'share'>,
): { size: number; inFlightOf: (slices: number) => number } {
  const inFlightOf = (slices: number) => Math.max(1, Math.min(maxInFlight, Math.floor(lanes / slices)));
  const least = Math.max(1, Math.ceil(total / maxObjects), Math.ceil(lanes / maxInFlight));
  const atOnce = Math.floor(lanes / inFlightOf(least));
  const wanted = Math.ceil(least / atOnce) * atOnce;
  return { size: Math.max(minObjects, Math.ceil(total / Math.min(wanted, maxSlices))), inFlightOf };
}

/**
 * Cuts the source's key space into slices of equal size by walking its primary key; OFFSET would lose rows during
 * concurrent writes. Returns at least one slice, their `size`, and how many batches each copies in parallel. `total`
 * counts all live objects. With a `share`, the slices end before the last key, and `objects` says how many keys they have.
 */
export async function planSlices(
  db: Db,
  sourceNo: number,
  { after = null, share = 1, ...limits }: SliceLimits,
): Promise<SlicePlan & { slices: KeyRange[]; inFlight: number }> {
  const { objects } = tablesOf(sourceNo);
  const left = after === null ? sql`true` : sql`object_id > ${after}::text collate "C"`;
  const { rows: counted } = await sql<{ total: number; live: number }>`
    select count(*) filter (where ${left}) as total, count(*) filter (where not deleted) as live
    from ${objects}
    where index_no = ${sourceNo}`.execute(db);
  const { total, live } = counted[0] as { total: number; live: number };
  const objectsToCut = Math.min(total, Math.max(1, Math.round(total * share)));
  const isPart = objectsToCut < total;
  const { size, inFlightOf } = sizeSlices(objectsToCut, limits);
  const { rows } = await sql<{ object_id: string }>`
    select object_id
    from (
      select object_id, row_number() over (order by object_id) as place
      from ${objects}
      where index_no = ${sourceNo} and ${left}
    ) numbered
    where place % ${size} = 0 and place < ${objectsToCut} or ${isPart} and place = ${objectsToCut}
    order by object_id`.execute(db);
  const cuts = rows.map((row) => row.object_id);
  const ends = isPart ? cuts : [...cuts, null];
  const slices = ends.map((until, at) => ({ after: cuts[at - 1] ?? after, until }));
  const objectsOfPart = isPart ? { objects: objectsToCut } : {};
  return { slices, size, total: live, ...objectsOfPart, inFlight: inFlightOf(slices.length) };
}

/** Whether an index has at most `most` objects, tombstones included. Reads at most that many keys plus one. */
export async function hasAtMost(db: Db, indexNo: number, most: number): Promise<boolean> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count
    from (select 1 from ${tablesOf(indexNo).objects} where index_no = ${indexNo} limit ${most + 1}) counted`.execute(
    db,
  );
  return (rows[0]?.count ?? 0) <= most;
}
