import { sql } from 'kysely';
import { codeOf, type Db, LOCK_NOT_AVAILABLE, transaction } from './database.ts';
import { findIndexByNo } from './indexes.ts';
import { tablesOf } from './partitions.ts';
import { cancelBuild } from './vector-index.ts';

/** How long one try waits for the tables of an index that is being deleted: only its own users wait behind it. */
const LOCK_TIMEOUT_MS = 2_000;
/** A lock that was not had in time, and a deadlock that Postgres broke up: the next try may have it. */
const IN_USE = new Set([LOCK_NOT_AVAILABLE, '40P01']);

/** `inUse`: who holds the tables of the index, for people. */
export type DropOutcome = { kind: 'dropped' } | { kind: 'inUse'; by: string };

/**
 * Removes an index that is marked as being deleted, with its tables; one that is not marked is left alone. It holds no
 * gate, and waits two seconds at most for each table: while anything still reads one, the answer is `inUse`, the mark
 * stays, and the call is to be made again. Calling it again is always fine.
 */
export async function dropIndex(db: Db, indexNo: number): Promise<DropOutcome> {
  if ((await findIndexByNo(db, indexNo))?.state !== 'deleting') return { kind: 'dropped' };
  await cancelBuild(db, indexNo);
  const { objects, parts } = tablesOf(indexNo);
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
    return { kind: 'inUse', by: await usersOf(db, indexNo) };
  }
  await db.deleteFrom('reembed.indexes').where('no', '=', indexNo).where('state', '=', 'deleting').execute();
  return { kind: 'dropped' };
}

/**
 * Detaches the tables of an index that an earlier version made: dropping an attached table would lock its parent, and
 * with it every index. `concurrently` waits for the users of the parent without a lock that is in their way.
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

/** The sessions that hold the tables of an index, the oldest transaction first. */
async function usersOf(db: Db, indexNo: number): Promise<string> {
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
