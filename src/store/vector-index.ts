import { sql } from 'kysely';
import { LIMITS } from '../contract/limits.ts';
import { resolveVectorIndex, type VectorSettings } from '../contract/vector-index.ts';
import { BUILD_CLASS } from './advisory-classes.ts';
import type { Db } from './database.ts';
import { createMetadataIndex, tablesOf } from './partitions.ts';
import type { IndexRow } from './schema.ts';
import { indexedVector } from './vector-expressions.ts';

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
  if (resolveVectorIndex(index).kind === 'none') return true;
  const { rows } = await sql<{ valid: boolean }>`
    select i.indisvalid as valid
    from pg_index i
    join pg_class c on c.oid = i.indexrelid
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'reembed' and c.relname = ${vectorIndexName(index.no)}`.execute(db);
  return rows[0]?.valid === true;
}

/** Whether an index has at least this many parts; counts no further, and only if the table is large enough. */
export async function hasParts(db: Db, index: VectorSettings & { no: number }, atLeast: number): Promise<boolean> {
  const { parts } = tablesOf(index.no);
  // pgvector does not compress vectors.
  const leastBytes = atLeast * index.model.dimensions * (index.storage === 'halfvec' ? 2 : 4);
  const { rows } = await sql<{ parts: number }>`
    select case
        when pg_table_size(${`reembed.parts_${index.no}`}::regclass) >= ${leastBytes}::bigint
        then (select count(*) from (select 1 from ${parts} limit ${atLeast}) first)
        else 0
      end as parts`.execute(db);
  return (rows[0]?.parts ?? 0) >= atLeast;
}

/**
 * A build has no time limit and waits for every older transaction. If its process freezes, its session ends soon,
 * because it holds the lock that allows one build at a time.
 */
const BUILD_LIMITS = [
  ['statement_timeout', 0],
  ['lock_timeout', 0],
  ['idle_session_timeout', 30_000],
] as const;

/**
 * Builds the HNSW index if it is missing, without blocking writers (`concurrently`), and rebuilds one that an
 * interrupted build left invalid. Of several callers one builds; the others return false immediately. When the signal
 * aborts, the build stops and the signal's reason is thrown. `oneProcess` leaves the other processors to searches and
 * writes, and takes longer.
 */
export async function buildVectorIndex(
  db: Db,
  index: IndexRow,
  options: { memoryMb: number; oneProcess?: boolean; signal?: AbortSignal; onBuilt?: (ms: number) => void },
): Promise<boolean> {
  const { signal } = options;
  signal?.throwIfAborted();
  if (await isVectorIndexReady(db, index)) return true;
  const { parts } = tablesOf(index.no);
  const hnsw = resolveVectorIndex(index);
  if (hnsw.kind === 'none') return true;
  const { column, operatorClass } = indexedVector(index, hnsw);
  return db.connection().execute(async (connection) => {
    const { rows } = await sql<{ mine: boolean; pid: number }>`
      select pg_try_advisory_lock(${sql.lit(BUILD_CLASS)}, ${index.no}) as mine, pg_backend_pid() as pid`.execute(
      connection,
    );
    if (!rows[0]?.mine) return false;
    const { pid } = rows[0];
    const stop = () => void stopBuild(db, pid);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      if (await isVectorIndexReady(connection as Db, index)) return true;
      for (const [name, limit] of BUILD_LIMITS) await sql`set ${sql.raw(name)} = ${sql.lit(limit)}`.execute(connection);
      await sql`drop index concurrently if exists ${sql.id('reembed', vectorIndexName(index.no))}`.execute(connection);
      await sql`set maintenance_work_mem = ${sql.lit(`${options.memoryMb}MB`)}`.execute(connection);
      if (options.oneProcess) await sql`set max_parallel_maintenance_workers = 0`.execute(connection);
      // Indexes created by an earlier version have none yet.
      await createMetadataIndex(connection as Db, index.no, { concurrently: true });
      const startMs = performance.now();
      await sql`
        create index concurrently ${sql.id(vectorIndexName(index.no))} on ${parts}
        using hnsw (${column} ${operatorClass})
        with (m = ${sql.lit(hnsw.m)}, ef_construction = ${sql.lit(hnsw.efConstruction)})`.execute(connection);
      options.onBuilt?.(performance.now() - startMs);
      return true;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
      for (const [name] of BUILD_LIMITS) await sql`reset ${sql.raw(name)}`.execute(connection);
      await sql`reset maintenance_work_mem`.execute(connection);
      await sql`reset max_parallel_maintenance_workers`.execute(connection);
      await sql`select pg_advisory_unlock(${sql.lit(BUILD_CLASS)}, ${index.no})`.execute(connection);
    }
  });
}

/**
 * Cancels the build that a connection runs, but nothing else that it may run by now. With a pool of one connection it
 * waits until the build is over and does nothing.
 */
async function stopBuild(db: Db, pid: number): Promise<void> {
  await sql`
    select pg_cancel_backend(pid)
    from pg_stat_activity
    where pid = ${pid} and state = 'active' and ltrim(query, E' \\n') like 'create index concurrently%'`
    .execute(db)
    .catch(() => {});
}

/** Cancels the build of an index that is being deleted, which would block the deletion, perhaps for hours. */
export async function cancelBuild(db: Db, indexNo: number): Promise<void> {
  await sql`
    select pg_cancel_backend(a.pid)
    from pg_locks l
    join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'advisory'
      and l.database = (select oid from pg_database where datname = current_database())
      and l.classid = ${sql.lit(BUILD_CLASS)}
      and l.objid = ${indexNo}
      and l.granted
      and a.state = 'active'
      and ltrim(a.query, E' \\n') like 'create index concurrently%'`.execute(db);
}
