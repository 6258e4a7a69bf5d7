import { sql } from 'kysely';
import { ReembedError } from '../../contract/errors.ts';
import type { Db } from '../database.ts';
import { findIndex, findIndexByNo } from '../indexes.ts';
import { type Claim, hasName, requireOwnName } from '../placement/names.ts';
import { followAliases } from '../search-views.ts';
import { beginWatch } from '../watch-counts.ts';
import { IS_BEHIND, lookUpPair } from './copy.ts';
import { type Deadline, transactionUntil } from './draining.ts';
import { holdGatesExclusive, lockNames } from './gate.ts';
import { requireLock } from './locks.ts';
import { insertMirror, type NewMirror } from './mirrors.ts';
import { noteReplaced } from './origins.ts';
import { setReads } from './reads.ts';
import { lastChangeOf } from './versions.ts';
import { isWithoutVectors } from './without-vectors.ts';

export interface CutOver {
  lock: string;
  sourceNo: number;
  destNo: number;
  /** The destination has all changes of the source up to this one. */
  mark: number;
  /** The alias to move from source to destination; null only releases the lock. */
  alias: string | null;
  /** For a new alias in a database other than the main one. */
  claim?: Claim | null;
  /** Forwards writes from the destination back to the source after the cut-over; the lock expires unless renewed. */
  /**
   * `shadow`: the share of the searches by the alias that also run on the source after the cut-over; default: 0.
   * `watch`: whether the searches that the destination answers are counted.
   */
  mirror: (NewMirror & { shadow?: number | undefined; watch?: boolean | undefined }) | null;
}

export type CutOverOutcome = { kind: 'done'; mark: number } | { kind: 'behind'; objects: number };

/**
 * The one atomic step. Under both gates, it checks the lock and that the destination has every change of the source,
 * moves the alias and releases the lock. Running it again after it succeeded returns `done`. Waits for the catalog and
 * the gates no longer than the deadline, if there is one: see `isWaitOver`. Errors: `LockLost`, `ReindexConflict`, and
 * `TooManyFailed` if no object of the destination has vectors; for a new alias also `NameTaken` and `ClaimNeeded`.
 */
export async function cutOver(db: Db, step: CutOver, deadline?: Deadline): Promise<CutOverOutcome> {
  return transactionUntil(db, deadline, async (trx) => {
    await lockNames(trx); // a new alias must not get the name of an index that is being created
    await holdGatesExclusive(trx, step.sourceNo, step.destNo);
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
      if (await isWithoutVectors(trx, step.destNo)) {
        throw new ReembedError('TooManyFailed', `no object in ${dest?.name} could be embedded: ${step.alias} stays`);
      }
      if (await findIndex(trx, step.alias)) {
        throw new ReembedError('ReindexConflict', `an index was created with the name of the alias ${step.alias}`);
      }
      if (!(await hasName(trx, 'index', step.alias)))
        await requireOwnName(trx, 'index', step.alias, step.claim ?? null);
      const { rows: switched } = await sql<{ index_no: number }>`
        insert into reembed.aliases (name, index_no)
        values (${step.alias}, ${step.destNo})
        on conflict (name) do update set index_no = excluded.index_no
        where aliases.index_no in (${step.sourceNo}, ${step.destNo})
        returning index_no`.execute(trx);
      if (switched.length === 0) {
        throw new ReembedError('ReindexConflict', `the alias ${step.alias} was moved by someone else`);
      }
      await followAliases(trx, [step.alias]);
    }
    await trx.updateTable('reembed.indexes').set({ built_by_lock: step.lock }).where('no', '=', step.destNo).execute();
    await noteReplaced(trx, step.sourceNo, step.destNo, await lastChangeOf(trx, step.sourceNo));
    await trx.deleteFrom('reembed.reindex_locks').where('lock', '=', step.lock).execute();
    if (!step.mirror) return { kind: 'done', mark: step.mark };
    // From here on the roles are swapped: changes of the destination are copied to the source.
    const mark = await lastChangeOf(trx, step.destNo);
    await insertMirror(trx, { sourceNo: step.destNo, destNo: step.sourceNo }, step.mirror, { since: mark });
    const { lock, taskId, shadow = 0 } = step.mirror;
    const { alias } = step;
    if (step.mirror.watch) await beginWatch(trx, lock, step.lock);
    if (alias !== null && shadow > 0) await setReads(trx, { lock, taskId, alias, shadow, canary: 0 });
    return { kind: 'done', mark };
  });
}
