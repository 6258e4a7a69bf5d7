import { type Selectable, sql } from 'kysely';
import { ReembedError } from '../../contract/errors.ts';
import type { Db, Trx } from '../database.ts';
import type { ReindexLocksTable } from '../schema.ts';

/** A reindex lock: the source is being rebuilt into the destination or, for a mirror, forwards its writes to it. */
export interface Lock {
  sourceNo: number;
  destNo: number;
  taskId: string;
  lock: string;
  lockTime: Date;
  lockExpireTime: Date;
  draining: boolean;
  mirror: boolean;
  /** The destination is complete, and waits for a decision about the switch. */
  built: boolean;
  /** Stored vectors are taken over. */
  reuse: boolean;
}

type LockRow = Selectable<ReindexLocksTable> & { draining: boolean };

/** Draining ends by the clock even if its owner died. It ignores the transaction's start, which may be long ago. */
export const IS_DRAINING = sql<boolean>`coalesce(clock_timestamp() < draining_until, false)`;

const COLUMNS = sql`*, ${IS_DRAINING} as draining`;

function toLock(row: LockRow): Lock {
  return {
    sourceNo: row.source_no,
    destNo: row.dest_no,
    taskId: row.task_id,
    lock: row.lock,
    lockTime: row.lock_time,
    lockExpireTime: row.lock_expire_time,
    draining: row.draining,
    mirror: row.mirror,
    built: row.built,
    reuse: row.reuse,
  };
}

/** Returns the unexpired lock with this index as its source: writers forward to its destination. */
export async function lockOnSource(db: Db | Trx, indexNo: number): Promise<Lock | null> {
  const { rows } = await sql<LockRow>`
    select ${COLUMNS}
    from reembed.reindex_locks
    where source_no = ${indexNo} and lock_expire_time > now()`.execute(db);
  return rows[0] ? toLock(rows[0]) : null;
}

/** Returns the unexpired lock with this index as its destination. */
export async function lockOnDest(db: Db | Trx, indexNo: number): Promise<Lock | null> {
  const { rows } = await sql<LockRow>`
    select ${COLUMNS}
    from reembed.reindex_locks
    where dest_no = ${indexNo} and lock_expire_time > now()`.execute(db);
  return rows[0] ? toLock(rows[0]) : null;
}

/** Whether a reindex is building this index; the reindex creates the HNSW index itself when all parts are present. */
export async function isBeingBuilt(db: Db | Trx, indexNo: number): Promise<boolean> {
  const lock = await lockOnDest(db, indexNo);
  return lock !== null && !lock.mirror;
}

/** Deletes a lock if it is still expired. Returns false if it was renewed or deleted in between. */
export async function dropIfExpired(trx: Trx, lock: string): Promise<boolean> {
  const { rows } = await sql`
    delete from reembed.reindex_locks
    where lock = ${lock}::uuid and lock_expire_time <= now()
    returning lock`.execute(trx);
  return rows.length > 0;
}

/**
 * Deletes the expired reindex locks of these indexes, under their gates: the next steps rely on their absence, so none
 * of them may be renewed afterwards. A mirror stays, since its task only adds newer objects.
 */
export async function dropExpiredLocks(trx: Trx, indexNos: readonly number[]): Promise<void> {
  await sql`
    delete from reembed.reindex_locks
    where (source_no = any(${indexNos}::int[]) or dest_no = any(${indexNos}::int[]))
      and not mirror and lock_expire_time <= now()`.execute(trx);
}

/** Returns the unexpired locks of these indexes. */
export async function locksTouching(db: Db | Trx, indexNos: readonly number[]): Promise<Lock[]> {
  const { rows } = await sql<LockRow>`
    select ${COLUMNS}
    from reembed.reindex_locks
    where (source_no = any(${indexNos}::int[]) or dest_no = any(${indexNos}::int[]))
      and lock_expire_time > now()`.execute(db);
  return rows.map(toLock);
}

/** Returns all unexpired locks, oldest first. */
export async function listLocks(db: Db | Trx): Promise<Lock[]> {
  const { rows } = await sql<LockRow>`
    select ${COLUMNS} from reembed.reindex_locks where lock_expire_time > now() order by lock_time`.execute(db);
  return rows.map(toLock);
}

/**
 * Returns the lock with this uuid. With `hold`, nobody can delete it before the transaction ends. Error: `LockLost` if
 * it was released or taken over.
 */
export async function requireLock(trx: Db | Trx, lock: string, { hold = false } = {}): Promise<Lock> {
  const { rows } = await sql<LockRow>`
    select ${COLUMNS} from reembed.reindex_locks where lock = ${lock}::uuid ${hold ? sql`for key share` : sql``}`.execute(
    trx,
  );
  if (!rows[0]) throw lockLost(lock);
  return toLock(rows[0]);
}

/** Records that the destination is complete: its reindex no longer counts as running. Error: `LockLost`. */
export async function markBuilt(db: Db, lock: string): Promise<void> {
  const { rows } = await sql`
    update reembed.reindex_locks
    set built = true
    where lock = ${lock}::uuid
    returning lock`.execute(db);
  if (!rows[0]) throw lockLost(lock);
}

/** Creates the error for an index that a lock touches: a mirror rebuilds nothing, but needs both of its indexes. */
export function indexLocked(name: string, { taskId, mirror }: Pick<Lock, 'taskId' | 'mirror'>): ReembedError {
  const what = mirror ? `needs ${name} for a roll back` : `is rebuilding ${name}`;
  return new ReembedError('IndexLocked', `the task ${taskId} ${what}: cancel it first`);
}

/** Creates the error for a lock that is gone. */
export function lockLost(lock: string): ReembedError {
  return new ReembedError('LockLost', `the reindex lock ${lock} was released or taken over`);
}

/**
 * Extends a lock. An expired lock can be renewed until it is taken over or another step that relies on its absence
 * deletes it. Error: `LockLost`.
 */
export async function renewLock(db: Db, lock: string, lockSeconds: number): Promise<Date> {
  const { rows } = await sql<{ lock_expire_time: Date }>`
    update reembed.reindex_locks
    set lock_expire_time = now() + make_interval(secs => ${lockSeconds})
    where lock = ${lock}::uuid
    returning lock_expire_time`.execute(db);
  if (!rows[0]) throw lockLost(lock);
  return rows[0].lock_expire_time;
}
