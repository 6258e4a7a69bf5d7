import { type Selectable, sql } from 'kysely';
import { ReembedError } from '../../contract/errors.ts';
import type { Db, Trx } from '../database.ts';
import type { ReindexLocksTable } from '../schema.ts';

/** A reindex lock: the source is being rebuilt into the destination, or, a mirror, kept current in it. */
export interface Lock {
  sourceNo: number;
  destNo: number;
  taskId: string;
  lock: string;
  lockTime: Date;
  lockExpireTime: Date;
  draining: boolean;
  mirror: boolean;
}

type LockRow = Selectable<ReindexLocksTable> & { draining: boolean };

/** Draining ends by itself, whoever has died: by the clock, not by the beginning of a transaction that waited. */
const COLUMNS = sql`*, coalesce(clock_timestamp() < draining_until, false) as draining`;

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
  };
}

/** The unexpired lock that has this index as its source: writers forward to its destination. */
export async function lockOnSource(db: Db | Trx, indexNo: number): Promise<Lock | null> {
  const { rows } = await sql<LockRow>`
    select ${COLUMNS}
    from reembed.reindex_locks
    where source_no = ${indexNo} and lock_expire_time > now()`.execute(db);
  return rows[0] ? toLock(rows[0]) : null;
}

/** The unexpired lock that has this index as its destination. */
export async function lockOnDest(db: Db | Trx, indexNo: number): Promise<Lock | null> {
  const { rows } = await sql<LockRow>`
    select ${COLUMNS}
    from reembed.reindex_locks
    where dest_no = ${indexNo} and lock_expire_time > now()`.execute(db);
  return rows[0] ? toLock(rows[0]) : null;
}

/** Whether a reindex is building this index: it makes the HNSW index itself, once all parts are there. */
export async function isBeingBuilt(db: Db | Trx, indexNo: number): Promise<boolean> {
  const lock = await lockOnDest(db, indexNo);
  return lock !== null && !lock.mirror;
}

/**
 * The unexpired locks of an index that is about to be written to, with it as their source and as their destination: an
 * index has one of each at most. An expired lock that builds the index is taken away: the write relies on its absence,
 * so it must not be renewed any more. A renewal at the same instant wins.
 */
export async function locksForWrite(
  trx: Trx,
  indexNo: number,
): Promise<{ onSource: Lock | null; onDest: Lock | null }> {
  for (;;) {
    const { rows } = await sql<LockRow & { alive: boolean }>`
      select ${COLUMNS}, lock_expire_time > now() as alive
      from reembed.reindex_locks
      where source_no = ${indexNo} or dest_no = ${indexNo}`.execute(trx);
    const expired = rows.find((row) => row.dest_no === indexNo && !row.mirror && !row.alive);
    if (!expired || (await dropIfExpired(trx, expired.lock))) {
      const locks = rows.filter(({ alive }) => alive).map(toLock);
      const one = (isIt: (lock: Lock) => boolean) => locks.find(isIt) ?? null;
      return { onSource: one(({ sourceNo }) => sourceNo === indexNo), onDest: one(({ destNo }) => destNo === indexNo) };
    }
  }
}

/** False when it was renewed, or is gone, since it was looked at. */
async function dropIfExpired(trx: Trx, lock: string): Promise<boolean> {
  const { rows } = await sql`
    delete from reembed.reindex_locks
    where lock = ${lock}::uuid and lock_expire_time <= now()
    returning lock`.execute(trx);
  return rows.length > 0;
}

/**
 * Takes the expired reindex locks of these indexes away, under their gates: what follows relies on their absence, so none
 * of them may be renewed any more. A mirror stays, since its task only ever adds what is newer.
 */
export async function dropExpiredLocks(trx: Trx, indexNos: readonly number[]): Promise<void> {
  await sql`
    delete from reembed.reindex_locks
    where (source_no = any(${indexNos}::int[]) or dest_no = any(${indexNos}::int[]))
      and not mirror and lock_expire_time <= now()`.execute(trx);
}

/** The unexpired locks of these indexes. */
export async function locksTouching(db: Db | Trx, indexNos: readonly number[]): Promise<Lock[]> {
  const { rows } = await sql<LockRow>`
    select ${COLUMNS}
    from reembed.reindex_locks
    where (source_no = any(${indexNos}::int[]) or dest_no = any(${indexNos}::int[]))
      and lock_expire_time > now()`.execute(db);
  return rows.map(toLock);
}

/** All unexpired locks. */
export async function listLocks(db: Db | Trx): Promise<Lock[]> {
  const { rows } = await sql<LockRow>`
    select ${COLUMNS} from reembed.reindex_locks where lock_expire_time > now() order by lock_time`.execute(db);
  return rows.map(toLock);
}

/**
 * The lock with this uuid. With `hold` nobody takes it away before the transaction has ended. Error: `LockLost` when it
 * was released or taken over.
 */
export async function requireLock(trx: Db | Trx, lock: string, { hold = false } = {}): Promise<Lock> {
  const { rows } = await sql<LockRow>`
    select ${COLUMNS} from reembed.reindex_locks where lock = ${lock}::uuid ${hold ? sql`for key share` : sql``}`.execute(
    trx,
  );
  if (!rows[0]) throw new ReembedError('LockLost', `the reindex lock ${lock} was released or taken over`);
  return toLock(rows[0]);
}

/**
 * Puts off the expiry of a lock. One that has expired can be renewed as long as nobody has taken it over or relied on
 * its absence: whoever does takes it away. Error: `LockLost`.
 */
export async function renewLock(db: Db, lock: string, lockSeconds: number): Promise<Date> {
  const { rows } = await sql<{ lock_expire_time: Date }>`
    update reembed.reindex_locks
    set lock_expire_time = now() + make_interval(secs => ${lockSeconds})
    where lock = ${lock}::uuid
    returning lock_expire_time`.execute(db);
  if (!rows[0]) throw new ReembedError('LockLost', `the reindex lock ${lock} was released or taken over`);
  return rows[0].lock_expire_time;
}
