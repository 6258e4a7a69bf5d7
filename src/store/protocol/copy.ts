import { type RawBuilder, sql } from 'kysely';
import type { Payload } from '../../contract/objects.ts';
import type { FailedItem } from '../../contract/tasks.ts';
import { textArray } from '../binary.ts';
import { isDistributed } from '../citus/layout.ts';
import { type Db, type Trx, transaction } from '../database.ts';
import { tablesOf } from '../partitions.ts';
import { firstBytes, MAX_READ_WEIGHT, storedWeight } from '../read-size.ts';
import { recordFailed } from '../staging.ts';
import { storeObjects } from './apply.ts';
import { type Deadline, transactionUntil } from './draining.ts';
import { holdGateShared, holdGatesExclusive } from './gate.ts';
import { requireLock } from './locks.ts';
import type { ObjectWrite, WriteCounts } from './object-write.ts';
import { lastChangeOf } from './versions.ts';

/** A stored object without its vectors. */
export interface StoredObject {
  id: string;
  version: number;
  /** The number of the task that wrote it; set with external versions only. */
  accepted: number | null;
  change: number;
  deleted: boolean;
  payload: Payload | null;
  metadata: Record<string, unknown>;
  originalId: string | null;
  uri: string | null;
  /** Null for a tombstone, and usually for an object without vectors. */
  hash: string | null;
}

/** An object of the source that the destination lacks, holds in an older version, or could not embed. */
export interface BehindObject extends StoredObject {
  deletedVersion: number;
  /** The hash of the content whose vectors the destination holds. */
  destHash: string | null;
  /** The source could not embed it either. */
  sourceFailed: boolean;
}

export interface Pair {
  sourceNo: number;
  destNo: number;
}

/** A range of the key space, `after` exclusive and `until` inclusive; null means unbounded on that side. */
export interface KeyRange {
  after: string | null;
  until: string | null;
}

const COLUMNS = sql`
  s.object_id as id, s.version, s.accepted, s.change, s.deleted, s.payload, s.metadata, s.original_id as "originalId", s.uri, s.hash,
  s.deleted_version as "deletedVersion", s.failed as "sourceFailed",
  case when not d.deleted and not d.failed then d.hash end as "destHash"`;

/**
 * True for an object `s` of the source if the destination's `d` is missing or older, lacks a deletion that `s`
 * remembers, or is a tombstone that lacks the id of its original.
 */
export const IS_BEHIND = sql`(
  d.version is null
  or d.version < s.version
  or d.deleted_version < s.deleted_version
  or (s.deleted and d.deleted and d.version = s.version and d.original_id is null and s.original_id is not null)
)`;

/**
 * Joins each object `s` of the source with the destination's object `d`. The index number leads every key, and the
 * planner cannot derive it from the table, so each statement names it on both sides.
 */
export function joinPair(pair: Pair): RawBuilder<unknown> {
  return sql`
    ${tablesOf(pair.sourceNo).objects} s
    left join ${tablesOf(pair.destNo).objects} d on d.index_no = ${pair.destNo} and d.object_id = s.object_id`;
}

/**
 * The same join for a batch. The limit does not change the result, but makes Postgres look up each object by its key,
 * whatever its statistics say. They lag behind while a destination grows, and a plan that reads the whole destination
 * for each batch is quadratic.
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

/** A page of objects; `more` if there may be others after it. */
export interface BehindPage {
  objects: BehindObject[];
  more: boolean;
}

/** Reads up to `limit` objects of a key range that must be copied, tombstones included, in key order. */
export async function readBehind(db: Db, pair: Pair, range: KeyRange, limit: number): Promise<BehindPage> {
  const from = range.after === null ? sql`` : sql`and s.object_id > ${range.after}::text collate "C"`;
  const to = range.until === null ? sql`` : sql`and s.object_id <= ${range.until}::text collate "C"`;
  const which = sql`${from} ${to} and (${IS_BEHIND} or (d.failed and d.version = s.version))`;
  return readPage(db, pair, which, sql`id`, limit);
}

async function readPage(
  db: Db,
  pair: Pair,
  which: RawBuilder<unknown>,
  order: RawBuilder<unknown>,
  limit: number,
): Promise<BehindPage> {
  if (await isDistributed(db)) return readSpreadPage(db, pair, { which, order, limit });
  const { rows } = await sql<BehindObject & { bytes: number; before: number; found: number }>`
    select *
    from (
      select *, sum(bytes) over (order by ${order}) - bytes as before, count(*) over () as found
      from (
        select ${COLUMNS}, ${storedWeight(sql`s.payload`)} + ${storedWeight(sql`s.metadata`)} as bytes
        from ${lookUpPair(pair)}
        where s.index_no = ${pair.sourceNo} ${which}
        order by ${order}
        limit ${limit}
      ) page
    ) counted
    where before < ${MAX_READ_WEIGHT}::bigint
    order by ${order}`.execute(db);
  const first = firstBytes(rows, ({ payload, metadata }) => [payload, metadata]);
  const objects = first.map(({ bytes: _bytes, before: _before, found: _found, ...object }) => object);
  return { objects, more: objects.length === limit || objects.length < (rows[0]?.found ?? 0) };
}

/**
 * Reads a page of a distributed index: first which objects are on it, then these. Otherwise each node would send a page
 * of payloads. A write in between gives a newer object at the same place of the order, which is as right to copy.
 */
async function readSpreadPage(
  db: Db,
  pair: Pair,
  { which, order, limit }: { which: RawBuilder<unknown>; order: RawBuilder<unknown>; limit: number },
): Promise<BehindPage> {
  const { rows: found } = await sql<{ id: string; change: number; bytes: number }>`
    select s.object_id as id, s.change, ${storedWeight(sql`s.payload`)} + ${storedWeight(sql`s.metadata`)} as bytes
    from ${lookUpPair(pair)}
    where s.index_no = ${pair.sourceNo} ${which}
    order by ${order}
    limit ${limit}`.execute(db);
  let weight = 0;
  const page = found.filter(({ bytes }, at) => {
    const before = weight;
    weight += bytes;
    return at === 0 || before < MAX_READ_WEIGHT;
  });
  const { rows } = await sql<BehindObject>`
    select ${COLUMNS}
    from ${lookUpPair(pair)}
    where s.index_no = ${pair.sourceNo} and s.object_id = any(${textArray(page.map(({ id }) => id))}::text[])`.execute(
    db,
  );
  const read = new Map(rows.map((row) => [row.id, row]));
  const inOrder = page.flatMap(({ id, change }) => {
    const object = read.get(id);
    return object ? [{ ...object, change }] : [];
  });
  const objects = firstBytes(inOrder, ({ payload, metadata }) => [payload, metadata]);
  return { objects, more: objects.length > 0 && (objects.length === limit || objects.length < found.length) };
}

/** Reads which of these objects, and of those derived from them, the destination lacks or holds in an older version. */
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

/** Reads source objects changed in (after, until] that the destination lacks or has older, in the order of change. */
export async function readChanged(
  db: Db,
  pair: Pair,
  changes: { after: number; until: number },
  limit: number,
): Promise<BehindPage> {
  const which = sql`and s.change > ${changes.after} and s.change <= ${changes.until} and ${IS_BEHIND}`;
  return readPage(db, pair, which, sql`change`, limit);
}

/**
 * Returns the change number up to which all writes to the source are committed, read while no writer holds the gate.
 * Waits for the gate no longer than the deadline, if there is one: see `isWaitOver`.
 */
export async function markChanges(db: Db, sourceNo: number, deadline?: Deadline): Promise<number> {
  return transactionUntil(db, deadline, async (trx) => {
    await holdGatesExclusive(trx, sourceNo);
    return lastChangeOf(trx, sourceNo);
  });
}

/** Whether the source remembers a deletion of an object. A later deletion is a change, so reconciling copies it. */
export function wasDeletedOnce({ deleted, deletedVersion }: BehindObject): boolean {
  return deleted || deletedVersion > 0;
}

/** The copies that could not be embedded, and the task whose failed list they go to. */
export interface FailedCopies {
  taskId: string;
  items: readonly FailedItem[];
}

/**
 * Writes copies with the source's versions into the destination, where these are higher. Checks the fencing lock: a
 * copier whose lock was released or taken over writes nothing (`LockLost`). `deletedOnce` lists the ids for which the
 * source remembers deletions. Failed items are added to the task's list in the same transaction, because an object
 * without vectors is processed only once.
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
    await holdGateShared(trx, destNo);
    const { sourceNo, taskId } = await requireLock(trx, lock);
    const counts = await storeObjects(trx, destNo, objects, sourceNo, { taskId, by: null });
    await copyLineage(trx, { sourceNo, destNo }, deletedOnce);
    if (failed) await recordFailed(trx, failed.taskId, failed.items);
    return counts;
  });
}

/** Copies what the source remembers of deletions, to judge later writes. Most objects were never deleted. */
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
