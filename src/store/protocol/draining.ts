import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { type Db, type Trx, transaction } from '../database.ts';
import { codeOf, SQLSTATE } from '../sqlstate.ts';
import { holdGatesExclusive } from './gate.ts';
import { requireLock } from './locks.ts';

/** Writers are blocked by a short lease, so they resume this soon if this process dies. */
const LEASE_SECONDS = 0.7;
const RENEW_MS = 200;

/** The time until which writers may be blocked; it also bounds every wait until then. */
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
 * Runs `work` in a transaction that waits for locks until the deadline and does not retry after that: see `isWaitOver`.
 * Without a deadline it waits like any other transaction.
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

/** True for the error of a statement whose wait for a lock timed out. */
export function isWaitOver(error: unknown): boolean {
  return codeOf(error) === SQLSTATE.lockNotAvailable;
}

/**
 * Blocks writers to the lock's source for at most `seconds`, even if the caller dies. When it returns, no write is in
 * progress.
 */
export async function setDraining(db: Db, lock: string, seconds: number, deadline?: Deadline): Promise<void> {
  await transactionUntil(db, deadline, async (trx) => {
    const { sourceNo } = await requireLock(trx, lock);
    await holdGatesExclusive(trx, sourceNo);
    await requireLock(trx, lock);
    await sql`
      update reembed.reindex_locks
      set draining_until = clock_timestamp() + make_interval(secs => ${seconds}::float8)
      where lock = ${lock}::uuid`.execute(trx);
  });
}

/**
 * Blocks writers for `seconds` from now, unless they were released. Does not take the gate: if this comes too late and
 * a writer slips in, the cut-over detects its change.
 */
export async function prolongDraining(db: Db, lock: string, seconds: number): Promise<void> {
  await sql`
    update reembed.reindex_locks
    set draining_until = clock_timestamp() + make_interval(secs => ${seconds}::float8)
    where lock = ${lock}::uuid and draining_until is not null`.execute(db);
}

/** Releases the writers. Does not take the gate, which could mean waiting for others. */
export async function endDraining(db: Db, lock: string): Promise<void> {
  await sql`
    update reembed.reindex_locks set draining_until = null where lock = ${lock}::uuid`.execute(db);
}

/**
 * Blocks writers while `work` runs and this process lives, but no longer than the deadline: then they resume even if
 * `work` still waits. A wait for the gate that lasts until the deadline throws an error that `isWaitOver` recognizes.
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
    // If this fails, writers resume when the lease ends, and the cut-over detects what they wrote.
    if (over.aborted) return endDraining(db, lock).catch(() => {});
    await prolongDraining(db, lock, LEASE_SECONDS).catch(() => {});
  }
}
