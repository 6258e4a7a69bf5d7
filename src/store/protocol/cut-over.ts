import { sql } from 'kysely';
import { ReembedError } from '../../contract/errors.ts';
import { type Db, transaction } from '../database.ts';
import { findIndex, findIndexByNo } from '../indexes.ts';
import { IS_BEHIND, lookUpPair } from './copy.ts';
import { closeCatalog, closeGates } from './gate.ts';
import { requireLock } from './locks.ts';
import { lastChangeOf } from './versions.ts';

/**
 * Holds writers to the source back for so many seconds at most, whatever becomes of the caller, or (null) lets them go.
 * From its return on, no writer is under way.
 */
export async function setDraining(db: Db, lock: string, seconds: number | null): Promise<void> {
  await transaction(db, async (trx) => {
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
 * in because this came late is found by the cut-over.
 */
export async function prolongDraining(db: Db, lock: string, seconds: number): Promise<void> {
  await sql`
    update reembed.reindex_locks
    set draining_until = clock_timestamp() + make_interval(secs => ${seconds}::float8)
    where lock = ${lock}::uuid and draining_until is not null`.execute(db);
}

export interface CutOver {
  lock: string;
  sourceNo: number;
  destNo: number;
  /** All of the source's changes up to this one are in the destination. */
  mark: number;
  /** Switched from source to destination; null: only the lock is released. */
  alias: string | null;
  /** After it, forward the destination's writes back to the source under this lock, which expires unless renewed. */
  mirror: { lock: string; taskId: string; lockSeconds: number } | null;
}

export type CutOverOutcome = { kind: 'done'; mark: number } | { kind: 'behind'; objects: number };

/**
 * The one atomic step: under both gates and with the lock checked, if nothing of the source is behind, the alias is
 * switched and the lock goes. Running it again after it has happened answers `done`. Error: `LockLost`.
 */
export async function cutOver(db: Db, step: CutOver): Promise<CutOverOutcome> {
  return transaction(db, async (trx) => {
    await closeCatalog(trx); // a new alias must not get the name of an index that is being created
    await closeGates(trx, step.sourceNo, step.destNo);
    const dest = await findIndexByNo(trx, step.destNo);
    if (dest?.builtByLock === step.lock) return { kind: 'done', mark: step.mark };
    await requireLock(trx, step.lock);
    const { rows } = await sql<{ objects: number }>`
      select count(*) as objects
      from ${lookUpPair(step)}
      where s.index_no = ${step.sourceNo} and s.change > ${step.mark}
        and ${IS_BEHIND}`.execute(trx);
    const objects = rows[0]?.objects ?? 0;
    if (objects > 0) return { kind: 'behind', objects };

    if (step.alias !== null) {
      if (await findIndex(trx, step.alias)) {
        throw new ReembedError('ReindexConflict', `an index was created with the name of the alias ${step.alias}`);
      }
      const { rows: switched } = await sql<{ index_no: number }>`
        insert into reembed.aliases (name, index_no)
        values (${step.alias}, ${step.destNo})
        on conflict (name) do update set index_no = excluded.index_no
        where aliases.index_no in (${step.sourceNo}, ${step.destNo})
        returning index_no`.execute(trx);
      if (switched.length === 0) {
        throw new ReembedError('ReindexConflict', `the alias ${step.alias} was pointed elsewhere meanwhile`);
      }
    }
    await trx.updateTable('reembed.indexes').set({ built_by_lock: step.lock }).where('no', '=', step.destNo).execute();
    await trx.deleteFrom('reembed.reindex_locks').where('lock', '=', step.lock).execute();
    if (step.mirror) {
      await sql`
        insert into reembed.reindex_locks (source_no, dest_no, task_id, lock, lock_expire_time, mirror)
        values (
          ${step.destNo}, ${step.sourceNo}, ${step.mirror.taskId}, ${step.mirror.lock}::uuid,
          now() + make_interval(secs => ${step.mirror.lockSeconds}), true
        )`.execute(trx);
    }
    // From here on the roles are swapped: what changes in the destination is brought to the source.
    return { kind: 'done', mark: step.mirror ? await lastChangeOf(trx, step.destNo) : step.mark };
  });
}
