import { sql } from 'kysely';
import { ReembedError } from '../../contract/errors.ts';
import { textArray } from '../binary.ts';
import { isDistributed } from '../citus/layout.ts';
import { type Db, transaction } from '../database.ts';
import { findIndexByNo } from '../indexes.ts';
import { tablesOf } from '../partitions.ts';
import { storeObjects } from './apply.ts';
import type { StoredObject } from './copy.ts';
import { holdGateShared } from './gate.ts';
import type { ObjectWrite } from './object-write.ts';

/** Reads which of these objects were carried over without vectors because they could not be embedded. */
export async function readFailedObjects(db: Db, indexNo: number, ids: readonly string[]): Promise<StoredObject[]> {
  const { rows } = await sql<StoredObject>`
    select object_id as id, version, accepted, change, deleted, payload, metadata, original_id as "originalId", uri, hash
    from ${tablesOf(indexNo).objects}
    where index_no = ${indexNo} and object_id = any(${ids}::text[]) and failed and not deleted
    order by object_id`.execute(db);
  return rows;
}

/**
 * Adds vectors to objects that could not be embedded. Each keeps its version, so later writes and deletions stay. Needs
 * no lock and forwards nothing, since content and versions do not change.
 */
export async function writeRepairs(db: Db, indexNo: number, objects: readonly ObjectWrite[]): Promise<void> {
  if (objects.length === 0) return;
  await transaction(db, async (trx) => {
    await holdGateShared(trx, indexNo);
    const index = await findIndexByNo(trx, indexNo);
    if (index?.state !== 'active') throw new ReembedError('IndexDeleting', 'the index is being deleted');
    await storeObjects(trx, indexNo, objects, 'keep');
  });
}

/**
 * Makes a task's failed list match the objects of an index that have no vectors: adds the missing ones and removes
 * those that have been embedded, overwritten or deleted since.
 */
export async function syncFailed(db: Db, taskId: string, indexNo: number): Promise<void> {
  const { objects } = tablesOf(indexNo);
  await sql`
    insert into reembed.failed_items (task_id, object_id, stage, reason, detail)
    select ${taskId}, object_id, 'embed', 'NotEmbedded', 'the index holds it without vectors'
    from ${objects}
    where index_no = ${indexNo} and failed and not deleted
    on conflict (task_id, object_id) do nothing`.execute(db);
  if (await isDistributed(db)) return dropListed(db, taskId, indexNo);
  await sql`
    delete from reembed.failed_items item
    where item.task_id = ${taskId}
      and not exists (
        select from ${objects} o
        where o.index_no = ${indexNo} and o.object_id = item.object_id and o.failed and not o.deleted
      )`.execute(db);
}

/** Removes from the list what has vectors by now, where the list is not on the nodes of the index. */
async function dropListed(db: Db, taskId: string, indexNo: number): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    with listed as materialized (select object_id from reembed.failed_items where task_id = ${taskId})
    select o.object_id as id
    from ${tablesOf(indexNo).objects} o
    join listed on listed.object_id = o.object_id
    where o.index_no = ${indexNo} and o.failed and not o.deleted`.execute(db);
  await sql`
    delete from reembed.failed_items
    where task_id = ${taskId} and object_id <> all(${textArray(rows.map(({ id }) => id))}::text[])`.execute(db);
}
