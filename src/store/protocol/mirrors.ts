import { sql } from 'kysely';
import type { RollBackReport } from '../../contract/roll-back.ts';
import type { Trx } from '../database.ts';
import type { Pair } from './copy.ts';

/** The lock of a mirror, which expires unless its task renews it. */
export interface NewMirror {
  lock: string;
  taskId: string;
  lockSeconds: number;
}

/**
 * Keeps the destination current from now on: writers of the source forward to it. In the transaction of a switch, under
 * both gates. `since`: the last change at the switch; `rollBack` is set if the switch is a roll back.
 */
export async function insertMirror(
  trx: Trx,
  { sourceNo, destNo }: Pair,
  { lock, taskId, lockSeconds }: NewMirror,
  { since, rollBack = null }: { since: number; rollBack?: RollBackReport | null },
): Promise<void> {
  await sql`
    insert into reembed.reindex_locks
      (source_no, dest_no, task_id, lock, lock_expire_time, mirror, since_change, roll_back)
    values (
      ${sourceNo}, ${destNo}, ${taskId}, ${lock}::uuid, now() + make_interval(secs => ${lockSeconds}), true,
      ${since}, ${rollBack && JSON.stringify(rollBack)}::jsonb
    )`.execute(trx);
}
