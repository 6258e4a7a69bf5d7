import { sql } from 'kysely';
import { type Db, type Trx, transaction } from './database.ts';
import { tablesOf } from './partitions.ts';

/** What the database tells about how things stand, for metrics. */
export interface DatabaseState {
  /** All locks, those that have expired too: of a task whose workers are gone. */
  locks: LockState[];
  /** Counted up to `MOST_TOMBSTONES`. */
  tombstones: number;
}

export interface LockState {
  taskId: string;
  source: string;
  dest: string;
  mirror: boolean;
  draining: boolean;
  ageSeconds: number;
  /** Negative once it has expired. */
  expiresInSeconds: number;
}

const MOST_LOCKS = 100;
const MOST_TOMBSTONES = 100_000;

/** Reads it within two seconds or fails: it must cost nothing that users would feel. */
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
      limit ${MOST_LOCKS}`.execute(trx);
    const tombstones = await countTombstones(trx);
    return { locks: locks.rows, tombstones };
  });
}

/** In all indexes, by their partial indexes on deleted rows. */
async function countTombstones(trx: Trx): Promise<number> {
  const indexes = await trx.selectFrom('reembed.indexes').select('no').where('state', '=', 'active').execute();
  if (indexes.length === 0) return 0;
  const deleted = indexes.map(
    ({ no }) => sql`(select 1 from ${tablesOf(no).objects} where deleted limit ${MOST_TOMBSTONES})`,
  );
  const { rows } = await sql<{ count: number }>`
    select count(*) as count
    from (
      select 1
      from (${sql.join(deleted, sql` union all `)}) of_each
      limit ${MOST_TOMBSTONES}
    ) counted`.execute(trx);
  return rows[0]?.count ?? 0;
}
