import { sql } from 'kysely';
import { type Db, type Trx, transaction } from './database.ts';
import { tablesOf } from './partitions.ts';

/** State of the database, for metrics. */
export interface DatabaseState {
  /** All locks, including expired ones of tasks whose workers are gone. */
  locks: LockState[];
  /** Counted up to `MAX_TOMBSTONES`. */
  tombstones: number;
}

export interface LockState {
  taskId: string;
  source: string;
  dest: string;
  mirror: boolean;
  draining: boolean;
  ageSeconds: number;
  /** Negative after it has expired. */
  expiresInSeconds: number;
}

const MAX_LOCKS = 100;
const MAX_TOMBSTONES = 100_000;

/** Reads the state within two seconds or fails, so that users never notice it. */
export async function readDatabaseState(db: Db): Promise<DatabaseState> {
  return transaction(db, async (trx) => {
    await sql`set local statement_timeout = '2s'`.execute(trx);
    const locks = await sql<LockState>`
      select
        l.task_id as "taskId", s.name as source, d.name as dest, l.mirror,
        coalesce(clock_timestamp() < l.draining_until, false) as draining,
        extract(epoch from now() - l.lock_time)::float8 as "ageSeconds",
        extract(epoch from l.lock_expire_time - now())::float8 as "expiresInSeconds"
      from reembed.reindex_locks l
      join reembed.indexes s on s.no = l.source_no
      join reembed.indexes d on d.no = l.dest_no
      order by l.lock_time
      limit ${MAX_LOCKS}`.execute(trx);
    const tombstones = await countTombstones(trx);
    return { locks: locks.rows, tombstones };
  });
}

/** Counts the tombstones of all indexes, using their partial indexes on deleted rows. */
async function countTombstones(trx: Trx): Promise<number> {
  const indexes = await trx.selectFrom('reembed.indexes').select('no').where('state', '=', 'active').execute();
  if (indexes.length === 0) return 0;
  const deleted = indexes.map(
    ({ no }) => sql`(select 1 from ${tablesOf(no).objects} where deleted limit ${MAX_TOMBSTONES})`,
  );
  const { rows } = await sql<{ count: number }>`
    select count(*) as count
    from (
      select 1
      from (${sql.join(deleted, sql` union all `)}) of_each
      limit ${MAX_TOMBSTONES}
    ) counted`.execute(trx);
  return rows[0]?.count ?? 0;
}
