import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { codeOf, type Db, LOCK_NOT_AVAILABLE, type Trx, transaction } from '../database.ts';
import { closeGates } from './gate.ts';
import { requireLock } from './locks.ts';

/** Writers are held back by the clock, for a moment at a time: if this process dies, they go on that soon. */
const LEASE_SECONDS = 0.7;
const RENEW_MS = 200;

/** Until when writers may be held back; all that is waited for meanwhile is bounded by it. */
export interface Deadline {
  signal: AbortSignal;
  /** Milliseconds left, never negative. */
  leftMs(): number;
}

export function createDeadline(ms: number): Deadline {
  const endMs = performance.now() + ms;
  return { signal: AbortSignal.timeout(Math.ceil(ms)), leftMs: () => Math.max(0, endMs - performance.now()) };
}

/**
 * Runs `work` in a transaction that waits for locks no longer than the deadline, and then no second time: see
 * `isWaitOver`. Without a deadline it waits as any transaction does.
 */
export function transactionUntil<T>(
  db: Db,
  deadline: Deadline | undefined,
  work: (trx: Trx) => Promise<T>,
): Promise<T> {
  if (!deadline) return transaction(db, work);
  return transaction(
    db,
    async (trx) => {
      const ms = Math.max(1, Math.floor(deadline.leftMs()));
      await sql`select set_config('lock_timeout', ${String(ms)}, true)`.execute(trx);
      return work(trx);
    },
    { lockTries: 1 },
  );
}

/** True of the error of a statement that waited for a lock as long as it might. */
export function isWaitOver(error: unknown): boolean {
  return codeOf(error) === LOCK_NOT_AVAILABLE;
}

/**
 * Holds writers to the lock's source back for so many seconds at most, whatever becomes of the caller. From its return
 * on, no writer is under way.
 */
export async function setDraining(db: Db, lock: string, seconds: number, deadline?: Deadline): Promise<void> {
  await transactionUntil(db, deadline, async (trx) => {
    const { sourceNo } = await requireLock(trx, lock);
    await closeGates(trx, sourceNo);
    await requireLock(trx, lock);
    await sql`
      update reembed.reindex_locks
      set draining_until = clock_timestamp() + make_interval(secs => ${seconds}::float8)
      where lock = ${lock}::uuid`.execute(trx);
  });
}

/**
 * Holds writers back for so many seconds from now, if they have not been let go. Without the gate: a writer that slipped
 * in because this came late is found by the switch.
 */
export async function prolongDraining(db: Db, lock: string, seconds: number): Promise<void> {
  await sql`
    update reembed.reindex_locks
    set draining_until = clock_timestamp() + make_interval(secs => ${seconds}::float8)
    where lock = ${lock}::uuid and draining_until is not null`.execute(db);
}

/** Lets the writers go. Without the gate, which others may have to be waited for. */
export async function endDraining(db: Db, lock: string): Promise<void> {
  await sql`
    update reembed.reindex_locks set draining_until = null where lock = ${lock}::uuid`.execute(db);
}

/**
 * Holds writers back for as long as `work` takes and this process lives, but not beyond the deadline: then they go on,
 * whatever `work` waits for. A wait for the gate that lasts to the deadline is the error that `isWaitOver` knows.
 */
export async function whileDraining<T>(db: Db, lock: string, deadline: Deadline, work: () => Promise<T>): Promise<T> {
  await setDraining(db, lock, LEASE_SECONDS, deadline);
  const over = new AbortController();
  const renewing = renew(db, lock, AbortSignal.any([over.signal, deadline.signal]));
  try {
    return await work();
  } finally {
    over.abort();
    await renewing;
  }
}

async function renew(db: Db, lock: string, over: AbortSignal): Promise<void> {
  for (;;) {
    await delay(RENEW_MS, undefined, { signal: over }).catch(() => {});
    // If that fails, writers go on soon by themselves, and the switch finds out what they wrote.
    if (over.aborted) return endDraining(db, lock).catch(() => {});
    await prolongDraining(db, lock, LEASE_SECONDS).catch(() => {});
  }
}
