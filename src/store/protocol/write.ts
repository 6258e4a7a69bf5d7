import { sql } from 'kysely';
import { ReembedError } from '../../contract/errors.ts';
import type { Payload } from '../../contract/objects.ts';
import type { OnReindex } from '../../contract/tasks.ts';
import type { Vector } from '../../contract/vectors.ts';
import { textArray } from '../binary.ts';
import { type Db, type Trx, transaction } from '../database.ts';
import { resolveIndex } from '../indexes.ts';
import { tablesOf } from '../partitions.ts';
import type { IndexRow } from '../schema.ts';
import { finishStaged } from '../staging.ts';
import { applyWrites } from './apply-writes.ts';
import { holdGate } from './gate.ts';
import { type Lock, locksForWrite } from './locks.ts';

/** One part of an object with its vector, as the pipeline made it. */
export interface WritePart {
  part: number;
  start: number | null;
  end: number | null;
  isAverage: boolean;
  embedding: Vector;
}

/** One object to write: its new content with vectors, its old content with new metadata, a tombstone, or a failure. */
export type ObjectWrite = { id: string; version: number } & {
  /** The number of the task, where the version is its client's: it orders the writes of different objects. */
  accepted?: number | undefined;
} & (
    | {
        kind: 'content';
        payload: Payload;
        metadata: Record<string, unknown>;
        originalId: string | null;
        uri: string | null;
        hash: string;
        parts: readonly WritePart[];
      }
    | {
        kind: 'unchanged';
        /** Given where a field of it has changed that is not embedded: the hashes then differ after their dot. */
        payload?: Payload | null;
        metadata: Record<string, unknown>;
        originalId: string | null;
        uri: string | null;
        hash: string;
      }
    | { kind: 'tombstone'; originalId?: string | null }
    | {
        kind: 'failed';
        payload: Payload | null;
        metadata: Record<string, unknown>;
        originalId: string | null;
        uri: string | null;
      }
  );

export interface WriteCounts {
  /** Applied now, or found applied already by an earlier try with the same version. */
  written: string[];
  /** A newer version is stored. */
  stale: string[];
  /** Asked to keep the vectors, but the stored content is another by now: to be embedded and written again. */
  changed: string[];
  /** No row, and older than tombstones that are gone: nobody can say whether the object was deleted since. */
  beyondRetention: string[];
}

export type WriteOutcome =
  | ({ kind: 'written'; forwardTo: ForwardTarget | null; isFinished: boolean } & WriteCounts)
  | { kind: 'moved' }
  | { kind: 'draining' }
  | { kind: 'locked'; taskId: string };

/** The index being built, to which a write is to be forwarded. */
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
  /** The staging that holds these objects and nothing else: dropped with the write, unless something is left to do. */
  finishes?: string | null;
}

/**
 * Writes a batch of live changes in one transaction (design: "Write"). `moved`: the alias points elsewhere than where
 * the batch was embedded for. `draining`: a cut-over holds writers back for a moment. `locked`: the index is being
 * rebuilt and the caller would not forward. Error: `IndexDeleting`, `IndexNotFound`.
 */
export async function writeLive(db: Db, write: LiveWrite): Promise<WriteOutcome> {
  return transaction(db, async (trx) => {
    await holdGate(trx, write.indexNo);
    const index = await resolveIndex(trx, write.target);
    if (index.no !== write.indexNo) return { kind: 'moved' };
    if (index.state === 'deleting') {
      throw new ReembedError('IndexDeleting', `the index ${index.name} is being deleted`);
    }
    const { onSource: lock, onDest } = await locksForWrite(trx, index.no);
    if (lock?.draining) return { kind: 'draining' };
    if (onDest) refuseUnfinished(index, onDest);
    if (lock && !lock.mirror && write.onReindex !== 'forward') return { kind: 'locked', taskId: lock.taskId };
    const counts = await applyWrites(trx, index, write.objects);
    const forwardTo = lock && { indexNo: lock.destNo, lock: lock.lock };
    return { kind: 'written', ...counts, forwardTo, isFinished: await finish(trx, write, counts, forwardTo) };
  });
}

/**
 * Drops what was staged with the write itself, unless there is something yet to do with it. A worker that dies now
 * leaves both done or neither. True if it did.
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

/** An index that is being built holds what its source holds; a write of its own would be taken away again. */
function refuseUnfinished(index: IndexRow, lock: Lock): void {
  if (!lock.mirror) {
    throw new ReembedError(
      'IndexLocked',
      `${index.name} is being built by the task ${lock.taskId}: write to its source`,
    );
  }
}

/** The hashes of what is embedded now, by id: of objects that are there and not failed. */
export async function storedHashes(db: Db, indexNo: number, ids: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await sql<{ object_id: string; hash: string }>`
    select object_id, hash
    from ${tablesOf(indexNo).objects}
    where index_no = ${indexNo} and object_id = any(${textArray(ids)}::text[]) and hash is not null and not deleted and not failed`.execute(
    db,
  );
  return new Map(rows.map((row) => [row.object_id, row.hash]));
}
