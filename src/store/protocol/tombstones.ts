import { sql } from 'kysely';
import { type Db, transaction } from '../database.ts';
import { tablesOf } from '../partitions.ts';
import { closeGates } from './gate.ts';

/**
 * Removes tombstones older than the retention, at most `limit` at once so that writers wait only for an instant. The
 * index keeps the highest version removed: a later write at or below it, of an object without a row, can not be judged.
 * Does nothing while a lock touches the index, since the copier needs them; an expired lock is taken away first, so that
 * a reindex that comes back to life begins again rather than go on without them.
 */
export async function collectTombstones(
  db: Db,
  indexNo: number,
  options: { retentionSeconds: number; limit: number },
): Promise<number> {
  const { objects } = tablesOf(indexNo);
  return transaction(db, async (trx) => {
    await closeGates(trx, indexNo);
    await sql`
      delete from reembed.reindex_locks
      where ${indexNo} in (source_no, dest_no) and lock_expire_time <= now()`.execute(trx);
    const { rows: locks } = await sql`
      select 1 from reembed.reindex_locks where ${indexNo} in (source_no, dest_no)`.execute(trx);
    if (locks.length > 0) return 0;
    const { rows } = await sql<{ removed: number; highest: number | null }>`
      with removed as (
        delete from ${objects}
        where index_no = ${indexNo} and object_id in (
          select object_id
          from ${objects}
          where index_no = ${indexNo} and deleted and write_time < now() - make_interval(secs => ${options.retentionSeconds})
          order by write_time
          limit ${options.limit}
        )
        returning version
      )
      select count(*) as removed, max(version) as highest from removed`.execute(trx);
    const { removed, highest } = rows[0] as { removed: number; highest: number | null };
    if (highest !== null) {
      await sql`
        update reembed.indexes
        set removed_version = greatest(removed_version, ${highest}::bigint)
        where no = ${indexNo}`.execute(trx);
    }
    return removed;
  });
}
