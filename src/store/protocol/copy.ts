import { type RawBuilder, sql } from 'kysely';
import type { Payload } from '../../contract/objects.ts';
import type { FailedItem } from '../../contract/tasks.ts';
import { type Db, type Trx, transaction } from '../database.ts';
import { tablesOf } from '../partitions.ts';
import { recordFailed } from '../staging.ts';
import { storeObjects } from './apply-writes.ts';
import { type Deadline, transactionUntil } from './draining.ts';
import { closeGates, holdGate } from './gate.ts';
import { requireLock } from './locks.ts';
import { lastChangeOf } from './versions.ts';
import type { ObjectWrite, WriteCounts } from './write.ts';

/** An object as it is stored, without its vectors. */
export interface StoredObject {
  id: string;
  version: number;
  /** The number of the task that wrote it, where the version is its client's. */
  accepted: number | null;
  change: number;
  deleted: boolean;
  payload: Payload | null;
  metadata: Record<string, unknown>;
  originalId: string | null;
  uri: string | null;
}

/** An object of the source that the destination lacks, has older, or could not embed. */
export interface BehindObject extends StoredObject {
  deletedVersion: number;
  /** Of the content that the destination has vectors of. */
  destHash: string | null;
}

export interface Pair {
  sourceNo: number;
  destNo: number;
}

/** A stretch of the key space, `after` excluded and `until` included; null is the end on that side. */
export interface KeyRange {
  after: string | null;
  until: string | null;
}

const COLUMNS = sql`
  s.object_id as id, s.version, s.accepted, s.change, s.deleted, s.payload, s.metadata, s.original_id as "originalId", s.uri,
  s.deleted_version as "deletedVersion", case when not d.deleted and not d.failed then d.hash end as "destHash"`;

/**
 * True of an object `s` of the source that the destination's `d` lacks, has older, or does not know to be deleted once or
 * from what its tombstone was derived.
 */
export const IS_BEHIND = sql`(
  d.version is null
  or d.version < s.version
  or d.deleted_version < s.deleted_version
  or (s.deleted and d.deleted and d.version = s.version and d.original_id is null and s.original_id is not null)
)`;

/**
 * Each object `s` of the source with what the destination has of it, `d`. The index number leads every key, and the
 * planner does not know it from the table: each statement names it, on each side.
 */
export function joinPair(pair: Pair): RawBuilder<unknown> {
  return sql`
    ${tablesOf(pair.sourceNo).objects} s
    left join ${tablesOf(pair.destNo).objects} d on d.index_no = ${pair.destNo} and d.object_id = s.object_id`;
}

/**
 * The same for a batch: the limit, which changes nothing, makes Postgres look each object up by its key, whatever its
 * statistics say. While a destination grows they are behind, and a plan that reads all of it per batch is quadratic.
 */
export function lookUpPair(pair: Pair): RawBuilder<unknown> {
  return sql`
    ${tablesOf(pair.sourceNo).objects} s
    left join lateral (
      select *
      from ${tablesOf(pair.destNo).objects}
      where index_no = ${pair.destNo} and object_id = s.object_id
      limit 1
    ) d on true`;
}

/** The next objects of a key range that are to be copied, tombstones included, in key order. */
export async function readBehind(db: Db, pair: Pair, range: KeyRange, limit: number): Promise<BehindObject[]> {
  const from = range.after === null ? sql`` : sql`and s.object_id > ${range.after}::text collate "C"`;
  const to = range.until === null ? sql`` : sql`and s.object_id <= ${range.until}::text collate "C"`;
  const { rows } = await sql<BehindObject>`
    select ${COLUMNS}
    from ${lookUpPair(pair)}
    where s.index_no = ${pair.sourceNo} ${from} ${to}
      and (${IS_BEHIND} or (d.failed and d.version = s.version))
    order by s.object_id
    limit ${limit}`.execute(db);
  return rows;
}

/** Of these objects and what is derived from them, those that the destination lacks or has older. */
export async function readByIds(db: Db, pair: Pair, ids: readonly string[]): Promise<BehindObject[]> {
  const { rows } = await sql<BehindObject>`
    select ${COLUMNS}
    from ${lookUpPair(pair)}
    where s.index_no = ${pair.sourceNo}
      and (
        s.object_id = any(${ids}::text[])
        or (s.original_id is not null and s.original_id = any(${ids}::text[]))
      )
      and ${IS_BEHIND}
    order by s.object_id`.execute(db);
  return rows;
}

/** The next objects changed in the source in (after, until] that the destination lacks or has older, in that order. */
export async function readChanged(
  db: Db,
  pair: Pair,
  changes: { after: number; until: number },
  limit: number,
): Promise<BehindObject[]> {
  const { rows } = await sql<BehindObject>`
    select ${COLUMNS}
    from ${lookUpPair(pair)}
    where s.index_no = ${pair.sourceNo} and s.change > ${changes.after} and s.change <= ${changes.until}
      and ${IS_BEHIND}
    order by s.change
    limit ${limit}`.execute(db);
  return rows;
}

/**
 * The change number up to which all of the source's writes are committed: read at an instant at which no writer holds
 * the gate. It waits for that no longer than the deadline, if there is one: see `isWaitOver`.
 */
export async function markChanges(db: Db, sourceNo: number, deadline?: Deadline): Promise<number> {
  return transactionUntil(db, deadline, async (trx) => {
    await closeGates(trx, sourceNo);
    return lastChangeOf(trx, sourceNo);
  });
}

/** Whether the source remembers a deletion of an object. One that comes later is a change: reconciling brings it. */
export function wasDeletedOnce({ deleted, deletedVersion }: BehindObject): boolean {
  return deleted || deletedVersion > 0;
}

/** Which of some copies could not be embedded, and on whose failed list they are to be. */
export interface FailedCopies {
  taskId: string;
  items: readonly FailedItem[];
}

/**
 * Writes copies into the destination with the source's versions, where they are higher, under the fencing lock: a
 * copier whose lock was released or taken over writes nothing (`LockLost`). `deletedOnce` are the ids of those that need
 * what the source remembers of deletions. What could not be embedded gets onto the failed list of the lock's task with the
 * copy or not at all: an object without vectors is looked at once only.
 */
export async function writeCopies(
  db: Db,
  lock: string,
  destNo: number,
  objects: readonly ObjectWrite[],
  deletedOnce: readonly string[] = objects.map(({ id }) => id),
  failed: FailedCopies | null = null,
): Promise<WriteCounts> {
  return transaction(db, async (trx) => {
    await holdGate(trx, destNo);
    const { sourceNo } = await requireLock(trx, lock);
    const counts = await storeObjects(trx, destNo, objects, sourceNo);
    await copyLineage(trx, { sourceNo, destNo }, deletedOnce);
    if (failed) await recordFailed(trx, failed.taskId, failed.items);
    return counts;
  });
}

/** What the source remembers of deletions, for the judgement of later writes; most objects were never deleted. */
async function copyLineage(trx: Trx, pair: Pair, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    update ${tablesOf(pair.destNo).objects} d set
      deleted_version = greatest(d.deleted_version, s.deleted_version),
      original_id = coalesce(d.original_id, s.original_id)
    from ${tablesOf(pair.sourceNo).objects} s
    where d.index_no = ${pair.destNo}
      and d.object_id = any(${ids}::text[])
      and s.index_no = ${pair.sourceNo}
      and s.object_id = any(${ids}::text[])
      and s.object_id = d.object_id
      and (
        d.deleted_version < s.deleted_version
        or (d.version = s.version and d.deleted and d.original_id is null and s.original_id is not null)
      )`.execute(trx);
}
