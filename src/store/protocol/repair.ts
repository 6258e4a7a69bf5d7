import { sql } from 'kysely';
import { ReembedError } from '../../contract/errors.ts';
import { type Db, transaction } from '../database.ts';
import { findIndexByNo } from '../indexes.ts';
import { tablesOf } from '../partitions.ts';
import { storeObjects } from './apply-writes.ts';
import type { StoredObject } from './copy.ts';
import { holdGate } from './gate.ts';
import type { ObjectWrite } from './write.ts';

/** Of these objects of an index, those that were carried over without vectors because they could not be embedded. */
export async function readFailedObjects(db: Db, indexNo: number, ids: readonly string[]): Promise<StoredObject[]> {
  const { rows } = await sql<StoredObject>`
    select object_id as id, version, accepted, change, deleted, payload, metadata, original_id as "originalId", uri
    from ${tablesOf(indexNo).objects}
    where index_no = ${indexNo} and object_id = any(${ids}::text[]) and failed and not deleted
    order by object_id`.execute(db);
  return rows;
}

/**
 * Gives objects that could not be embedded their vectors, each with the version it has: what was written or deleted
 * since is newer and stays. Needs no lock and forwards nothing, since content and versions do not change.
 */
export async function writeRepairs(db: Db, indexNo: number, objects: readonly ObjectWrite[]): Promise<void> {
  if (objects.length === 0) return;
  await transaction(db, async (trx) => {
    await holdGate(trx, indexNo);
    const index = await findIndexByNo(trx, indexNo);
    if (index?.state !== 'active') throw new ReembedError('IndexDeleting', 'the index is being deleted');
    await storeObjects(trx, indexNo, objects);
  });
}
