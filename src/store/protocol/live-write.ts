import { sql } from 'kysely';
import { ReembedError } from '../../contract/errors.ts';
import type { OnReindex } from '../../contract/task-bodies.ts';
import { textArray } from '../binary.ts';
import { type Db, type Trx, transaction } from '../database.ts';
import { requireActive } from '../indexes.ts';
import { tablesOf } from '../partitions.ts';
import type { IndexRow } from '../schema.ts';
import { finishStaged } from '../staging.ts';
import { applyWrites } from './apply.ts';
import { holdGateShared } from './gate.ts';
import type { Writer } from './history.ts';
import type { ObjectWrite, WriteCounts } from './object-write.ts';
import { findWriteTarget, type WriteLock } from './write-target.ts';

export type WriteOutcome =
  | ({ kind: 'written'; forwardTo: ForwardTarget | null; isFinished: boolean } & WriteCounts)
  | { kind: 'moved' }
  | { kind: 'draining' }
  | { kind: 'locked'; taskId: string };

/** The index being built, to which a write is forwarded. */
export interface ForwardTarget {
  indexNo: number;
  lock: string;
}

export interface LiveWrite {
  /** The name the caller used: an index or an alias. */
  target: string;
  /** The index for which the objects were embedded. */
  indexNo: number;
  objects: readonly ObjectWrite[];
  onReindex: OnReindex;
  /** The staging that holds exactly these objects; dropped in the same transaction unless work is left. */
  finishes?: string | null;
  /** Goes into the history of the objects. */
  writer?: Writer | undefined;
}

/**
 * Writes a batch of live changes in one transaction (design: "Write"). `moved`: the alias no longer points to the index
 * that the batch was embedded for. `draining`: a cut-over blocks writers for a moment. `locked`: the index is being
 * rebuilt and the caller does not forward. Errors: `IndexDeleting`, `IndexNotFound`.
 */
export async function writeLive(db: Db, write: LiveWrite): Promise<WriteOutcome> {
  return transaction(db, async (trx) => {
    await holdGateShared(trx, write.indexNo);
    const { index, onSource: lock, onDest } = await findWriteTarget(trx, write);
    if (index.no !== write.indexNo) return { kind: 'moved' };
    requireActive(index);
    if (lock?.draining) return { kind: 'draining' };
    if (onDest) refuseUnfinished(index, onDest);
    if (lock && !lock.mirror && write.onReindex !== 'forward') return { kind: 'locked', taskId: lock.taskId };
    const counts = await applyWrites(trx, index, write.objects, write.writer);
    const forwardTo = lock && { indexNo: lock.destNo, lock: lock.lock };
    return { kind: 'written', ...counts, forwardTo, isFinished: await finish(trx, write, counts, forwardTo) };
  });
}

/**
 * Drops the staging in the transaction of the write, unless work is left; if the worker dies, both or neither are done.
 * Returns true if it was dropped.
 */
async function finish(
  trx: Trx,
  { finishes, objects }: LiveWrite,
  { written, stale, changed, beyondRetention }: WriteCounts,
  forwardTo: ForwardTarget | null,
): Promise<boolean> {
  if (!finishes || forwardTo || changed.length + beyondRetention.length > 0) return false;
  const kept = new Set(objects.filter(({ kind }) => kind === 'unchanged').map(({ id }) => id));
  const unchanged = written.filter((id) => kept.has(id)).length;
  await finishStaged(trx, finishes, { written: written.length, unchanged, stale: stale.length, failed: 0 });
  return true;
}

/** Refuses writes to an index that is being built: it mirrors its source, so the reindex would remove them. */
function refuseUnfinished(index: IndexRow, lock: WriteLock): void {
  if (!lock.mirror) {
    throw new ReembedError(
      'IndexLocked',
      `${index.name} is being built by the task ${lock.taskId}: write to its source`,
    );
  }
}

/** Returns the hashes of the stored content by id, for objects that are live and not failed. */
export async function storedHashes(db: Db, indexNo: number, ids: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await sql<{ object_id: string; hash: string }>`
    select object_id, hash
    from ${tablesOf(indexNo).objects}
    where index_no = ${indexNo} and object_id = any(${textArray(ids)}::text[]) and hash is not null and not deleted and not failed`.execute(
    db,
  );
  return new Map(rows.map((row) => [row.object_id, row.hash]));
}
