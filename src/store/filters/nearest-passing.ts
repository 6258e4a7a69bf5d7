import { sql } from 'kysely';
import type { Trx } from '../database.ts';
import type { Neighbor, Neighborhood } from '../neighborhood.ts';
import type { IndexRow } from '../schema.ts';
import { compileFilter } from './compile.ts';
import { nearestAmong } from './nearest-among.ts';
import { nearestOfFew } from './nearest-of-few.ts';

/** Up to this many parts, comparing all that pass costs no more than a scan of the HNSW index. */
const FEW_PARTS = 1_500;
/** Above this share of all parts, and this number, reading them all is faster than one by one. */
const READ_SHARE = 0.2;
const MIN_READ_PARTS = 20_000;

/** Neighbors that pass a filter. */
export type Passing =
  /** `exact`: all that pass were compared; `dense`: found where those that pass are dense. */
  | { kind: 'exact' | 'dense'; neighbors: Neighbor[] }
  /** Those that pass are rare near the vector: only a comparison of all is certain. */
  | { kind: 'sparse'; neighbors: Neighbor[]; compare: Compare };

/** Compares those that pass, one by one; null if that takes longer than comparing all parts. */
type Compare = () => Promise<Neighbor[] | null>;

/**
 * Decides how a search with a filter is run, by what it finds on the way and not by the estimates of Postgres: few that
 * pass are compared. Otherwise the HNSW index is asked for the nearest parts whatever the filter, and the result is used
 * if enough of them pass. If not, what passes is scattered over the graph, where a scan would continue and find some of it,
 * but not the nearest.
 */
export async function nearestPassing(
  trx: Trx,
  index: IndexRow,
  wanted: Neighborhood,
  { efSearch, limitTime }: { efSearch?: number | undefined; limitTime: () => Promise<void> },
): Promise<Passing> {
  const isLookedUp = compileFilter(wanted.filter, sql`o.metadata`)?.isLookedUp ?? false;
  if (isLookedUp) {
    await limitTime();
    const neighbors = await nearestOfFew(trx, index, wanted, { maxParts: FEW_PARTS, isLookedUp });
    if (neighbors) return { kind: 'exact', neighbors };
  }
  await limitTime();
  const { neighbors, isEnough } = await nearestAmong(trx, index, wanted, { efSearch });
  if (isEnough) return { kind: 'dense', neighbors };
  const compare = async () =>
    nearestOfFew(trx, index, wanted, { maxParts: await readableParts(trx, index), isLookedUp });
  return { kind: 'sparse', neighbors, compare };
}

/** Maximum parts that are faster to read one by one than with all others. */
async function readableParts(trx: Trx, index: IndexRow): Promise<number> {
  const { rows } = await sql<{ parts: number }>`
    select reltuples::float8 as parts from pg_class where oid = ${`reembed.parts_${index.no}`}::regclass`.execute(trx);
  return Math.max(MIN_READ_PARTS, Math.ceil((rows[0]?.parts ?? 0) * READ_SHARE));
}
