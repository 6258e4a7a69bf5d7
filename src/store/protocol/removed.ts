import { sql } from 'kysely';
import { bigintArray, textArray } from '../binary.ts';
import { type Db, type Trx, transaction } from '../database.ts';
import { tablesOf } from '../partitions.ts';
import { holdGateShared } from './gate.ts';
import { requireLock } from './locks.ts';

/**
 * An index with external versions remembers the version of each deletion whose tombstone was removed: one row per
 * object that was deleted and not written since.
 */

/** Returns, by id, the versions of remembered deletions of these objects. */
export async function removalsOf(trx: Trx, indexNo: number, ids: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await sql<{ object_id: string; version: number }>`
    select object_id, version
    from reembed.removed_objects
    where index_no = ${indexNo} and object_id = any(${textArray(ids)}::text[])`.execute(trx);
  return new Map(rows.map((row) => [row.object_id, row.version]));
}

/** Moves what is remembered of objects back to their rows, now that they have some again. */
export async function recallRemoved(trx: Trx, indexNo: number, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const { rows } = await sql<{ object_id: string; deleted_version: number }>`
    delete from reembed.removed_objects
    where index_no = ${indexNo} and object_id = any(${textArray(ids)}::text[])
    returning object_id, deleted_version`.execute(trx);
  if (rows.length === 0) return;
  const recalled = rows.map((row) => row.object_id);
  await sql`
    update ${tablesOf(indexNo).objects} stored set
      deleted_version = greatest(stored.deleted_version, recalled.deleted_version)
    from unnest(
      ${textArray(recalled)}::text[],
      ${bigintArray(rows.map((row) => row.deleted_version))}::bigint[]
    ) as recalled (object_id, deleted_version)
    where stored.index_no = ${indexNo}
      and stored.object_id = any(${textArray(recalled)}::text[])
      and stored.object_id = recalled.object_id`.execute(trx);
}

/**
 * Copies what the source of a reindex remembers to the destination, one batch in the order of the ids. While the lock
 * is held, the source adds nothing. Returns the last id of the batch, or null after the last batch.
 */
export async function copyRemoved(
  db: Db,
  lock: string,
  pair: { sourceNo: number; destNo: number },
  { after, limit }: { after: string; limit: number },
): Promise<string | null> {
  return transaction(db, async (trx) => {
    await holdGateShared(trx, pair.destNo);
    await requireLock(trx, lock);
    const { rows } = await sql<{ last: string | null; objects: number }>`
      with batch as (
        select object_id, version, deleted_version
        from reembed.removed_objects
        where index_no = ${pair.sourceNo} and object_id > ${after} collate "C"
        order by object_id
        limit ${limit}
      ),
      copied as (
        insert into reembed.removed_objects as known (index_no, object_id, version, deleted_version)
        select ${pair.destNo}::int, object_id, version, deleted_version
        from batch
        on conflict (index_no, object_id) do update set
          version = greatest(known.version, excluded.version),
          deleted_version = greatest(known.deleted_version, excluded.deleted_version)
      )
      select max(object_id collate "C") as last, count(*) as objects
      from batch`.execute(trx);
    const batch = rows[0];
    return batch && batch.objects === limit ? batch.last : null;
  });
}
