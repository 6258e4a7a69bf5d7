import { type DialectAdapter, sql } from 'kysely';
import type { Db, Trx } from '../database.ts';

/** SQL of type boolean: whether the tables of indexes are distributed over the nodes of Citus. */
export const IS_DISTRIBUTED = sql`exists (select from reembed.layout)`;

/** A database that is not distributed may be later, as long as it has no index. */
const READ_AGAIN_MS = 10_000;

interface Known {
  distributed: boolean;
  readMs: number;
}

/** By an object that a pool and its transactions share. */
const known = new WeakMap<DialectAdapter, Known>();

/**
 * Whether the tables of indexes are distributed over the nodes of Citus, for choosing between statements that are right
 * in both layouts, or fail in one. May be seconds old: what keeps a promise uses `IS_DISTRIBUTED` in its own statement.
 */
export async function isDistributed(db: Db | Trx): Promise<boolean> {
  const { adapter } = db.getExecutor();
  const before = known.get(adapter);
  if (before?.distributed) return true;
  if (before && performance.now() - before.readMs < READ_AGAIN_MS) return false;
  const distributed = await readIsDistributed(db);
  known.set(adapter, { distributed, readMs: performance.now() });
  return distributed;
}

/** Reads now whether the tables of indexes are distributed. */
export async function readIsDistributed(db: Db | Trx): Promise<boolean> {
  const { rows } = await sql<{ distributed: boolean }>`select ${IS_DISTRIBUTED} as distributed`.execute(db);
  return rows[0]?.distributed === true;
}
