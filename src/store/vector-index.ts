import { type RawBuilder, sql } from 'kysely';
import { LIMITS } from '../contract/limits.ts';
import { resolveVectorIndex, type VectorSettings } from '../contract/vector-index.ts';
import { isDistributed } from './citus/layout.ts';
import { tableSizeSql } from './citus/sizes.ts';
import type { Db } from './database.ts';
import { findIndexByNo } from './indexes.ts';
import { tablesOf } from './partitions.ts';
import type { IndexRow } from './schema.ts';
import { type BuildOptions, inBuildSession, isValidIndex } from './vector-index-session.ts';

/** Describes how searches of such an index work, as text for users. */
export function describeSearch(config: VectorSettings, ready: boolean): string {
  const { dimensions } = config.model;
  const hnsw = resolveVectorIndex(config);
  if (hnsw.kind === 'none') {
    if (config.vectorIndex?.kind === 'none') return 'No vector index: every search scans all parts';
    return `Warning: pgvector cannot index ${dimensions} dimensions (${LIMITS.halfvecIndexDimensions} at most), so every search scans all parts; vectorIndex with the precision bit, or fewer dimensions, can`;
  }
  const until = ready ? '' : ', built once there are enough parts; until then a search scans all of them';
  const isShort = hnsw.dimensions < dimensions;
  const over = isShort ? `the first ${hnsw.dimensions} of ${dimensions} dimensions` : `${dimensions} dimensions`;
  const isAsked = config.vectorIndex?.precision !== undefined || config.storage === 'halfvec';
  const why = isAsked ? '' : `: pgvector indexes full precision up to ${LIMITS.vectorIndexDimensions} only`;
  const precision = { full: '', half: ` in half precision${why}`, bit: ', one bit each' }[hnsw.precision];
  const rescored = isShort || hnsw.precision === 'bit' ? '; the stored vectors decide about the order' : '';
  return `HNSW index over ${over}${precision}${rescored}${until}`;
}

/** Returns the name of the HNSW index of an index. */
export const vectorIndexName = (indexNo: number) => `parts_${indexNo}_hnsw`;

/** Whether the HNSW index exists and is valid, or the index has none. */
export async function isVectorIndexReady(db: Db, index: VectorSettings & { no: number }): Promise<boolean> {
  return resolveVectorIndex(index).kind === 'none' || isValidIndex(db, vectorIndexName(index.no));
}

/** Whether an index has at least this many parts; counts no further, and only if the table is large enough. */
export async function hasParts(db: Db, index: VectorSettings & { no: number }, atLeast: number): Promise<boolean> {
  const { parts } = tablesOf(index.no);
  // pgvector does not compress vectors.
  const leastBytes = atLeast * index.model.dimensions * (index.storage === 'halfvec' ? 2 : 4);
  const bytes = await tableSizeSql(db, `reembed.parts_${index.no}`, 'table');
  if (await isDistributed(db)) return (await readBytes(db, bytes)) >= leastBytes && hasRows(db, parts, atLeast);
  const { rows } = await sql<{ parts: number }>`
    select case
        when ${bytes} >= ${leastBytes}::bigint
        then (select count(*) from (select 1 from ${parts} limit ${atLeast}) first)
        else 0
      end as parts`.execute(db);
  return (rows[0]?.parts ?? 0) >= atLeast;
}

async function readBytes(db: Db, bytes: RawBuilder<number>): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`select ${bytes} as bytes`.execute(db);
  return rows[0]?.bytes ?? 0;
}

async function hasRows(db: Db, table: RawBuilder<unknown>, atLeast: number): Promise<boolean> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (select 1 from ${table} limit ${atLeast}) first`.execute(db);
  return (rows[0]?.count ?? 0) >= atLeast;
}

/**
 * Builds the HNSW index if it is missing, without blocking writers (`concurrently`), and rebuilds one that an
 * interrupted build left invalid. Of several callers one builds; the others return false immediately. When the signal
 * aborts, the build stops and the signal's reason is thrown.
 */
export async function buildVectorIndex(db: Db, known: IndexRow, options: BuildOptions): Promise<boolean> {
  options.signal?.throwIfAborted();
  if (await isVectorIndexReady(db, known)) return true;
  const { no } = known;
  const isBuilt = await inBuildSession(db, no, options, async (session) => {
    // Read within the session: its settings cannot change meanwhile.
    const index = await findIndexByNo(session.connection, no);
    if (!index || (await isVectorIndexReady(session.connection, index))) return true;
    const hnsw = resolveVectorIndex(index);
    if (hnsw.kind === 'none') return true;
    await session.drop(vectorIndexName(no));
    await session.create(index, hnsw, vectorIndexName(no));
    return true;
  });
  return isBuilt === true;
}
