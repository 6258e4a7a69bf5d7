import { sql } from 'kysely';
import { bigintArray, textArray } from '../binary.ts';
import { type Db, type Trx, transaction } from '../database.ts';
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
    const { rows: removed } = await sql<Removed>`
      delete from ${objects}
      where index_no = ${indexNo} and object_id in (
        select object_id
        from ${objects}
        where index_no = ${indexNo} and deleted and write_time < now() - make_interval(secs => ${options.retentionSeconds})
        order by write_time
        limit ${options.limit}
      )
      returning object_id as id, version, deleted_version as "deletedVersion"`.execute(trx);
    if (removed.length > 0) await noteRemoved(trx, indexNo, removed);
    return removed.length;
  });
}

interface Removed {
  id: string;
  version: number;
  deletedVersion: number;
}

/** Records what later writes to removed objects are judged by, and forgets their history. */
async function noteRemoved(trx: Trx, indexNo: number, removed: readonly Removed[]): Promise<void> {
  const ids = textArray(removed.map(({ id }) => id));
  await sql`
    with forgotten as (
      delete from reembed.object_history
      where index_no = ${indexNo} and object_id = any(${ids}::text[])
    ),
    remembered as (
      insert into reembed.removed_objects as known (index_no, object_id, version, deleted_version)
      select ${indexNo}::int, id, version, deleted_version
      from unnest(
        ${ids}::text[],
        ${bigintArray(removed.map(({ version }) => version))}::bigint[],
        ${bigintArray(removed.map(({ deletedVersion }) => deletedVersion))}::bigint[]
      ) as removed (id, version, deleted_version)
      where (select versioning = 'external' from reembed.indexes where no = ${indexNo})
      on conflict (index_no, object_id) do update set
        version = greatest(known.version, excluded.version),
        deleted_version = greatest(known.deleted_version, excluded.deleted_version)
    )
    update reembed.indexes
    set removed_version = greatest(removed_version, ${Math.max(...removed.map(({ version }) => version))}::bigint)
    where no = ${indexNo} and versioning = 'internal'`.execute(trx);
}
