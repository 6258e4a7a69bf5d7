import { type Selectable, sql } from 'kysely';
import { ReembedError } from '../../contract/errors.ts';
import type { Trx } from '../database.ts';
import { toIndexRow } from '../indexes.ts';
import type { IndexesTable, IndexRow } from '../schema.ts';
import { dropIfExpired, IS_DRAINING, type Lock } from './locks.ts';

/** What a write must know of a lock. */
export type WriteLock = Pick<Lock, 'sourceNo' | 'destNo' | 'taskId' | 'lock' | 'draining' | 'mirror'>;

/** The index that a name or an alias stands for, and its unexpired locks: at most one with it as source, and as destination. */
export interface WriteTarget {
  index: IndexRow;
  onSource: WriteLock | null;
  onDest: WriteLock | null;
}

type FoundLock = WriteLock & { alive: boolean };

/**
 * Finds what a write touches, in one statement, under the gate of its index. Deletes an expired lock that builds the
 * index: the write relies on its absence, so it must not be renewed afterwards. If a renewal happens at the same time, the
 * renewal wins. `indexNo`: the index that the write was made for; the locks of another one are left alone, as its gate is
 * not held. Error: `IndexNotFound`.
 */
export async function findWriteTarget(
  trx: Trx,
  { target, indexNo }: { target: string; indexNo: number },
): Promise<WriteTarget> {
  for (;;) {
    const { rows } = await sql<Selectable<IndexesTable> & { locks: FoundLock[] }>`
      select i.*, array(
        select jsonb_build_object(
          'sourceNo', source_no, 'destNo', dest_no, 'taskId', task_id, 'lock', lock, 'mirror', mirror,
          'draining', ${IS_DRAINING}, 'alive', lock_expire_time > now()
        )
        from reembed.reindex_locks
        where source_no = i.no or dest_no = i.no
      ) as locks
      from reembed.indexes i
      where i.name = ${target}
        or i.no = (select index_no from reembed.aliases where name = ${target})`.execute(trx);
    const [row] = rows;
    if (!row) throw new ReembedError('IndexNotFound', `there is no index or alias ${target}`);
    const index = toIndexRow(row);
    if (index.no !== indexNo) return { index, onSource: null, onDest: null };
    const expired = row.locks.find(({ destNo, mirror, alive }) => destNo === index.no && !mirror && !alive);
    if (expired && !(await dropIfExpired(trx, expired.lock))) continue;
    const one = (isIt: (lock: FoundLock) => boolean) => row.locks.find((lock) => lock.alive && isIt(lock)) ?? null;
    return {
      index,
      onSource: one(({ sourceNo }) => sourceNo === index.no),
      onDest: one(({ destNo }) => destNo === index.no),
    };
  }
}
