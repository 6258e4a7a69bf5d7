import { sql } from 'kysely';
import type { Db, Trx } from '../database.ts';

/** The next version: it orders a task's writes after all that were accepted before. */
export async function nextVersion(db: Db | Trx): Promise<number> {
  const { rows } = await sql<{ version: number }>`select nextval('reembed.versions') as version`.execute(db);
  return rows[0]?.version as number;
}

/**
 * The highest change number given out so far. Under the exclusive gate of an index, all of that index's changes up to
 * it are committed.
 */
export async function lastChange(trx: Db | Trx): Promise<number> {
  const { rows } = await sql<{ change: number }>`
    select case when is_called then last_value else 0 end as change
    from reembed.changes`.execute(trx);
  return rows[0]?.change as number;
}
