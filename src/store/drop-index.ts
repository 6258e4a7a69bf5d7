import { sql } from 'kysely';
import { type Db, transaction } from './database.ts';
import { findIndexByNo } from './indexes.ts';
import { tablesOf } from './partitions.ts';
import { areViewsBehind } from './search-views.ts';
import { codeOf, SQLSTATE } from './sqlstate.ts';
import { cancelBuild } from './vector-index-session.ts';

/**
 * How long one attempt waits for the tables of an index that is being deleted; only users of that index queue behind
 * it.
 */
const LOCK_TIMEOUT_MS = 2_000;
/** A lock timeout or a deadlock: the next attempt may succeed. */
const IN_USE = new Set<string>([SQLSTATE.lockNotAvailable, SQLSTATE.deadlock]);

/** `by` lists the sessions that hold the tables of the index, as text. */
export type DropOutcome = { kind: 'dropped' } | { kind: 'inUse'; by: string };

/**
 * Drops an index that is marked as being deleted, with its tables; does nothing if it is not marked. Holds no gate and
 * waits at most two seconds for each table. While anything still reads one, returns `inUse` and keeps the mark: call it
 * again later. Can be repeated safely.
 */
export async function dropIndex(db: Db, indexNo: number): Promise<DropOutcome> {
  if ((await findIndexByNo(db, indexNo))?.state !== 'deleting') return { kind: 'dropped' };
  await cancelBuild(db, indexNo);
  const { objects, parts } = tablesOf(indexNo);
  if (await areViewsBehind(db, indexNo)) return { kind: 'inUse', by: await describeUsers(db, indexNo) };
  try {
    await detach(db, indexNo);
    for (const table of [parts, objects]) {
      await transaction(
        db,
        async (trx) => {
          await sql`set local lock_timeout = ${sql.lit(LOCK_TIMEOUT_MS)}`.execute(trx);
          await sql`drop table if exists ${table}`.execute(trx);
        },
        { lockTries: 1 },
      );
    }
  } catch (error) {
    if (!IN_USE.has(codeOf(error) ?? '')) throw error;
    return { kind: 'inUse', by: await describeUsers(db, indexNo) };
  }
  await db.deleteFrom('reembed.indexes').where('no', '=', indexNo).where('state', '=', 'deleting').execute();
  return { kind: 'dropped' };
}

/**
 * Detaches the tables of an index created by an earlier version: dropping an attached table would lock its parent, and
 * with it every index. `concurrently` waits for the users of the parent without blocking them.
 */
async function detach(db: Db, indexNo: number): Promise<void> {
  const { rows } = await sql<{ parent: 'objects' | 'parts'; pending: boolean }>`
    select p.relname as parent, i.inhdetachpending as pending
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    join pg_class p on p.oid = i.inhparent
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'reembed' and c.relname in (${`objects_${indexNo}`}, ${`parts_${indexNo}`})`.execute(db);
  if (rows.length === 0) return;
  await db.connection().execute(async (connection) => {
    await sql`set lock_timeout = ${sql.lit(LOCK_TIMEOUT_MS)}`.execute(connection);
    try {
      for (const { parent, pending } of rows) {
        await sql`
          alter table ${sql.id('reembed', parent)}
          detach partition ${tablesOf(indexNo)[parent]} ${sql.raw(pending ? 'finalize' : 'concurrently')}`.execute(
          connection,
        );
      }
    } finally {
      await sql`reset lock_timeout`.execute(connection);
    }
  });
}

/** Describes the sessions that hold the tables of an index, oldest transaction first. */
async function describeUsers(db: Db, indexNo: number): Promise<string> {
  const { rows } = await sql<{ pid: number; application: string; since: Date | null }>`
    select a.pid, a.application_name as application, min(a.xact_start) as since
    from pg_locks l
    join pg_stat_activity a on a.pid = l.pid
    join pg_class c on c.oid = l.relation
    join pg_namespace n on n.oid = c.relnamespace
    where l.database = (select oid from pg_database where datname = current_database())
      and l.granted
      and a.pid <> pg_backend_pid()
      and n.nspname = 'reembed'
      and c.relname in (${`objects_${indexNo}`}, ${`parts_${indexNo}`}, 'objects', 'parts')
    group by a.pid, a.application_name
    order by min(a.xact_start)
    limit 3`.execute(db);
  const users = rows.map(({ pid, application, since }) => {
    const name = application === '' ? 'a session' : application;
    return `${name} (process ${pid})${since ? ` since ${since.toISOString()}` : ''}`;
  });
  return users.join(', ') || 'another session';
}
