import { sql } from 'kysely';
import type { Db } from '../database.ts';

/** The first version of pgvector without known faults of HNSW indexes. */
const PGVECTOR = [0, 8, 4];
/** Statements of reembed outside of transactions may take this long. */
const STATEMENT_MS = 60_000;

/** Checks of the server; each returns what it found, one text for each thing. */
export const serverChecks = {
  async pgvectorOld(db: Db): Promise<string[]> {
    const { rows } = await sql<{ version: string }>`
      select extversion as version from pg_extension where extname = 'vector'`.execute(db);
    const [found] = rows;
    if (!found || !isBefore(found.version, PGVECTOR)) return [];
    return [`the extension vector has version ${found.version}`];
  },

  async diskUnsafe(db: Db): Promise<string[]> {
    // The embedded database is for development, and cannot change them.
    const { rows } = await sql`select where version() ~* 'emcc|emscripten|wasm'`.execute(db);
    if (rows.length > 0) return [];
    return (await settingsWith(db, ['fsync', 'full_page_writes', 'synchronous_commit'], 'off')).map(asText);
  },

  async autovacuumOff(db: Db): Promise<string[]> {
    const off = (await settingsWith(db, ['autovacuum'], 'off')).map(asText);
    const { rows } = await sql<{ name: string }>`
      select c.relname as name
      from pg_class c
      where c.relnamespace = 'reembed'::regnamespace
        and c.relkind = 'r'
        and c.reloptions && array['autovacuum_enabled=false', 'autovacuum_enabled=off', 'autovacuum_enabled=0']
      order by 1`.execute(db);
    return [...off, ...rows.map(({ name }) => `the table reembed.${name} has autovacuum_enabled = false`)];
  },

  async statementTimeout(db: Db): Promise<string[]> {
    // As a session begins: transactions of reembed set their own.
    const { rows } = await sql<{ ms: number }>`
      select setting::int as ms
      from pg_settings
      where name = 'statement_timeout' and setting::int between 1 and ${STATEMENT_MS - 1}`.execute(db);
    return rows.map(({ ms }) => `statement_timeout is ${ms} ms`);
  },

  /** `share`: of the connections, from which on few are left. */
  async connectionsFew(db: Db, share: number): Promise<string[]> {
    const { rows } = await sql<{ used: number; allowed: number }>`
      select
        (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as used,
        current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as allowed`.execute(
      db,
    );
    const { used = 0, allowed = 0 } = rows[0] ?? {};
    // The embedded database has one connection, which this statement uses.
    if (allowed <= 1 || used < share * allowed) return [];
    return [`${used} of ${allowed} connections are used`];
  },

  async sharedMemorySmall(db: Db): Promise<string[]> {
    const { rows } = await sql<{ indexes: number; buffers: number }>`
      select
        (
          select coalesce(sum(pg_relation_size(c.oid)), 0)::float8
          from pg_class c
          join pg_am am on am.oid = c.relam
          where c.relnamespace = 'reembed'::regnamespace and am.amname = 'hnsw'
        ) as indexes,
        (select setting::float8 * 8192 from pg_settings where name = 'shared_buffers') as buffers`.execute(db);
    const { indexes = 0, buffers = 0 } = rows[0] ?? {};
    return indexes > buffers ? [`shared_buffers is ${mb(buffers)}, the HNSW indexes have ${mb(indexes)}`] : [];
  },

  async transactionOld(db: Db, olderThanSeconds: number): Promise<string[]> {
    const { rows } = await sql<{ pid: number; seconds: number; name: string; state: string }>`
      select pid, extract(epoch from now() - xact_start)::int as seconds, application_name as name, coalesce(state, '') as state
      from pg_stat_activity
      where datname = current_database()
        and backend_type = 'client backend'
        and xact_start < now() - make_interval(secs => ${olderThanSeconds})
        and pid <> pg_backend_pid()
        -- A build of an index takes long, and ends.
        and pid not in (select pid from pg_stat_progress_create_index)
      order by xact_start`.execute(db);
    return rows.map(({ pid, seconds, name, state }) => `pid ${pid} (${name || 'no name'}, ${state}) for ${seconds} s`);
  },

  async lockExpired(db: Db): Promise<string[]> {
    const { rows } = await sql<{ task: string; source: string; seconds: number }>`
      select l.task_id as task, s.name as source, extract(epoch from now() - l.lock_expire_time)::int as seconds
      from reembed.reindex_locks l
      join reembed.indexes s on s.no = l.source_no
      where l.lock_expire_time < now() and not l.mirror
      order by 1`.execute(db);
    return rows.map(({ task, source, seconds }) => `the task ${task} on ${source}, ${seconds} s ago`);
  },
};

async function settingsWith(db: Db, names: readonly string[], value: string) {
  const { rows } = await sql<{ name: string; setting: string }>`
    select name, setting from pg_settings where name = any(${names}::text[]) and setting = ${value} order by name`.execute(
    db,
  );
  return rows;
}

const asText = ({ name, setting }: { name: string; setting: string }) => `${name} is ${setting}`;
const mb = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`;

/** Whether a version such as `0.8.1` is older than another one. */
function isBefore(version: string, other: readonly number[]): boolean {
  const numbers = version.split('.').map(Number);
  const at = other.findIndex((number, place) => (numbers[place] ?? 0) !== number);
  return at !== -1 && (numbers[at] ?? 0) < (other[at] ?? 0);
}
