import { sql } from 'kysely';
import type { Db, Trx } from '../../src/store/database.ts';

/**
 * A transaction that has done its work and stays open until it is ended. It acts as another program: the code that
 * ends frozen sessions of the product does not end it, however slow the machine is.
 */
export interface OpenTransaction {
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

export async function openTransaction(db: Db, work: (trx: Trx) => Promise<unknown>): Promise<OpenTransaction> {
  const trx = await db.startTransaction().execute();
  await sql`set local application_name = 'another program'`.execute(trx);
  await sql`set local idle_in_transaction_session_timeout = 0`.execute(trx);
  await work(trx);
  return {
    commit: async () => void (await trx.commit().execute()),
    rollback: async () => void (await trx.rollback().execute()),
  };
}

/** Resolves when this number of sessions of the database wait for a lock. */
export async function untilWaiting(db: Db, sessions: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const { rows } = await sql<{ waiting: number }>`
      select count(distinct pid) as waiting
      from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
    if ((rows[0]?.waiting ?? 0) >= sessions) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`there were never ${sessions} sessions waiting`);
}

/** Whether a promise is still pending after everything else had a moment to run. */
export async function isPending(promise: Promise<unknown>, ms = 40): Promise<boolean> {
  const pending = Symbol();
  promise.catch(() => {});
  const timer = new Promise((resolve) => setTimeout(() => resolve(pending), ms));
  return (await Promise.race([promise.catch(() => {}), timer])) === pending;
}
