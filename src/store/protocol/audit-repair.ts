import { sql } from 'kysely';
import { bigintArray, textArray } from '../binary.ts';
import { type Db, type Trx, transaction } from '../database.ts';
import { findIndexByNo, requireActive } from '../indexes.ts';
import { tablesOf } from '../partitions.ts';
import { storeObjects } from './apply.ts';
import type { StoredObject } from './copy.ts';
import { holdGateShared, holdGatesExclusive } from './gate.ts';
import { lockRows } from './lock-rows.ts';
import type { ObjectWrite } from './object-write.ts';

/** Reads the live objects among these, as they are stored now. */
export async function readLiveObjects(db: Db, indexNo: number, ids: readonly string[]): Promise<StoredObject[]> {
  const { rows } = await sql<StoredObject>`
    select object_id as id, version, accepted, change, deleted, payload, metadata, original_id as "originalId", uri, hash
    from ${tablesOf(indexNo).objects}
    where index_no = ${indexNo} and object_id = any(${textArray(ids)}::text[]) and not deleted
    order by object_id`.execute(db);
  return rows;
}

/**
 * Replaces the parts of stored objects with those of these writes. Each object keeps its version, and one that was
 * written or deleted since is left alone, so nothing newer is lost. Forwards nothing, since versions do not change.
 * Error: `IndexDeleting`.
 */
export async function replaceParts(db: Db, indexNo: number, objects: readonly ObjectWrite[]): Promise<void> {
  if (objects.length === 0) return;
  await repairing(db, indexNo, holdGateShared, async (trx) => {
    const { objects: table } = tablesOf(indexNo);
    const ids = textArray(objects.map(({ id }) => id));
    await lockRows(
      trx,
      indexNo,
      objects.map(({ id }) => id),
      true,
    );
    // Content of the same version replaces only what failed. Nobody sees the mark: it ends with this transaction.
    await sql`
      update ${table} stored set failed = true
      from unnest(
        ${ids}::text[],
        ${bigintArray(objects.map(({ version }) => version))}::bigint[]
      ) as incoming (id, version)
      where stored.index_no = ${indexNo}
        and stored.object_id = any(${ids}::text[])
        and stored.object_id = incoming.id
        and stored.version = incoming.version
        and not stored.deleted`.execute(trx);
    await storeObjects(trx, indexNo, objects, 'keep');
  });
}

/** Deletes the parts of objects that are missing, deleted or without vectors. */
export async function dropOrphanedParts(db: Db, indexNo: number, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const { objects, parts } = tablesOf(indexNo);
  await repairing(db, indexNo, holdGateShared, async (trx) => {
    await sql`
      delete from ${parts} p
      where p.index_no = ${indexNo}
        and p.object_id = any(${textArray(ids)}::text[])
        and not exists (
          select from ${objects} o
          where o.index_no = ${indexNo} and o.object_id = p.object_id and not o.deleted and not o.failed
        )`.execute(trx);
  });
}

/**
 * Deletes surplus rows of objects and parts, which only a missing or broken primary key permits: the row with the
 * highest version stays. Holds the gate exclusively, because without the key row locks do not order writers.
 */
export async function dropDuplicates(db: Db, indexNo: number, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const { objects, parts } = tablesOf(indexNo);
  await repairing(db, indexNo, holdGatesExclusive, async (trx) => {
    await sql`
      delete from ${objects} o
      where o.index_no = ${indexNo}
        and o.object_id = any(${textArray(ids)}::text[])
        and exists (
          select from ${objects} better
          where better.index_no = ${indexNo}
            and better.object_id = o.object_id
            and (better.version, better.change, better.ctid) > (o.version, o.change, o.ctid)
        )`.execute(trx);
    await sql`
      delete from ${parts} p
      where p.index_no = ${indexNo}
        and p.object_id = any(${textArray(ids)}::text[])
        and exists (
          select from ${parts} other
          where other.index_no = ${indexNo}
            and other.object_id = p.object_id
            and other.part = p.part
            and other.ctid > p.ctid
        )`.execute(trx);
  });
}

/** Runs a repair in a transaction that holds the gate of the index. Error: `IndexDeleting`. */
async function repairing(
  db: Db,
  indexNo: number,
  holdGate: (trx: Trx, indexNo: number) => Promise<unknown>,
  work: (trx: Trx) => Promise<void>,
): Promise<void> {
  await transaction(db, async (trx) => {
    await holdGate(trx, indexNo);
    const index = await findIndexByNo(trx, indexNo);
    if (index) requireActive(index);
    await work(trx);
  });
}
