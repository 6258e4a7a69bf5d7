import { type RawBuilder, sql } from 'kysely';
import type { HnswIndex } from '../contract/vector-index.ts';
import { BUILD_CLASS } from './advisory-classes.ts';
import { type BuildProgress, watchBuild } from './build-progress.ts';
import { isDistributed } from './citus/layout.ts';
import type { Db } from './database.ts';
import { createMetadataIndex, tablesOf } from './partitions.ts';
import type { IndexRow } from './schema.ts';
import { indexedVector } from './vector-expressions.ts';

export interface BuildOptions {
  memoryMb: number;
  /** Leaves the other processors to searches and writes, and takes longer. */
  oneProcess?: boolean;
  signal?: AbortSignal;
  onBuilt?: (ms: number) => void;
  /** Called from time to time with the progress of the statement. */
  onProgress?: (progress: BuildProgress) => void;
}

/** A session that may build or change the HNSW index of one index; no other session does meanwhile. */
export interface BuildSession {
  connection: Db;
  /** Builds an HNSW index with this name without blocking writers. If it is interrupted, it leaves an invalid index. */
  create(index: IndexRow, hnsw: HnswIndex, name: string): Promise<void>;
  /** Drops an HNSW index, valid or not, without blocking anybody. */
  drop(name: string): Promise<void>;
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

/** Whether an index of the schema exists and is valid. */
export async function isValidIndex(db: Db, name: string): Promise<boolean> {
  const { rows } = await sql<{ valid: boolean }>`select ${validIndex(name)} as valid`.execute(db);
  return rows[0]?.valid === true;
}

/** SQL of type boolean: whether an index of the schema exists and is valid. */
export function validIndex(name: string): RawBuilder<boolean> {
  return sql`exists (
    select from pg_index i
    join pg_class c on c.oid = i.indexrelid
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'reembed' and c.relname = ${name} and i.indisvalid
  )`;
}

/**
 * Runs `work` in a session of its own. Returns undefined immediately if another session builds the same index. When the
 * signal aborts, a running build stops and the signal's reason is thrown.
 */
export async function inBuildSession<T>(
  db: Db,
  indexNo: number,
  options: BuildOptions,
  work: (session: BuildSession) => Promise<T>,
): Promise<T | undefined> {
  const { signal } = options;
  signal?.throwIfAborted();
  return db.connection().execute(async (connection) => {
    const { rows } = await sql<{ mine: boolean; pid: number }>`
      select pg_try_advisory_lock(${sql.lit(BUILD_CLASS)}, ${indexNo}) as mine, pg_backend_pid() as pid`.execute(
      connection,
    );
    if (!rows[0]?.mine) return undefined;
    const { pid } = rows[0];
    const stop = () => void stopBuild(db, pid);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      for (const [name, limit] of BUILD_LIMITS) await sql`set ${sql.raw(name)} = ${sql.lit(limit)}`.execute(connection);
      return await work({
        connection: connection as Db,
        create: (index, hnsw, name) =>
          create(db, { connection: connection as Db, pid, options }, { index, hnsw, name }),
        async drop(name) {
          await sql`drop index concurrently if exists ${sql.id('reembed', name)}`.execute(connection);
        },
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
      for (const [name] of BUILD_LIMITS) await sql`reset ${sql.raw(name)}`.execute(connection);
      await sql`reset maintenance_work_mem`.execute(connection);
      await sql`reset max_parallel_maintenance_workers`.execute(connection);
      await sql`select pg_advisory_unlock(${sql.lit(BUILD_CLASS)}, ${indexNo})`.execute(connection);
    }
  });
}

async function create(
  db: Db,
  { connection, pid, options }: { connection: Db; pid: number; options: BuildOptions },
  { index, hnsw, name }: { index: IndexRow; hnsw: HnswIndex; name: string },
): Promise<void> {
  const { column, operatorClass } = indexedVector(index, hnsw);
  await sql`set maintenance_work_mem = ${sql.lit(`${options.memoryMb}MB`)}`.execute(connection);
  if (options.oneProcess) await sql`set max_parallel_maintenance_workers = 0`.execute(connection);
  // Indexes created by an earlier version have none yet. Citus would mark one that is there as invalid.
  if (!(await isDistributed(connection))) await createMetadataIndex(connection, index.no, { concurrently: true });
  options.signal?.throwIfAborted();
  const startMs = performance.now();
  const unwatch = options.onProgress && watchBuild(db, pid, options.onProgress);
  try {
    await sql`
      create index concurrently ${sql.id(name)} on ${tablesOf(index.no).parts}
      using hnsw (${column} ${operatorClass})
      with (m = ${sql.lit(hnsw.m)}, ef_construction = ${sql.lit(hnsw.efConstruction)})`.execute(connection);
  } finally {
    unwatch?.();
  }
  options.onBuilt?.(performance.now() - startMs);
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
