import { sql } from 'kysely';
import { type Db, transaction } from '../database.ts';
import { tablesOf } from '../partitions.ts';
import { holdGatesExclusive } from './gate.ts';

/** How long after its expiry a mirror can still be renewed, if its workers were down. */
const MIRROR_GRACE_SECONDS = 86_400;

/**
 * Removes tombstones older than the retention, at most `limit` per call so that writers wait only briefly. The index
 * keeps the highest removed version: a later write at or below it, to an object without a row, cannot be judged. An
 * index with external versions, which are comparable only within one object, remembers each removed object instead.
 * Does nothing while a lock touches the index, since the copier needs the tombstones. First deletes expired locks, so
 * that a reindex that resumes starts over instead of continuing without them. A mirror is kept for a day after its
 * expiry.
 */
export async function collectTombstones(
  db: Db,
  indexNo: number,
  options: { retentionSeconds: number; limit: number },
): Promise<number> {
  const { objects } = tablesOf(indexNo);
  return transaction(db, async (trx) => {
    await holdGatesExclusive(trx, indexNo);
    await sql`
      delete from reembed.reindex_locks
      where ${indexNo} in (source_no, dest_no)
        and lock_expire_time <= now() - case when mirror then make_interval(secs => ${MIRROR_GRACE_SECONDS}) else '0' end`.execute(
      trx,
    );
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
        returning object_id, version, deleted_version
      ),
      forgotten as (
        delete from reembed.object_history h
        using removed
        where h.index_no = ${indexNo} and h.object_id = removed.object_id
      ),
      remembered as (
        insert into reembed.removed_objects as known (index_no, object_id, version, deleted_version)
        select ${indexNo}::int, object_id, version, deleted_version
        from removed
        where (select versioning = 'external' from reembed.indexes where no = ${indexNo})
        on conflict (index_no, object_id) do update set
          version = greatest(known.version, excluded.version),
          deleted_version = greatest(known.deleted_version, excluded.deleted_version)
      )
      select count(*) as removed, max(version) as highest from removed`.execute(trx);
    const { removed, highest } = rows[0] as { removed: number; highest: number | null };
    if (highest !== null) {
      await sql`
        update reembed.indexes
        set removed_version = greatest(removed_version, ${highest}::bigint)
        where no = ${indexNo} and versioning = 'internal'`.execute(trx);
    }
    return removed;
  });
}
