import type { PrepareOptions } from '../pipeline/prepare-options.ts';
import { isSameModel, mayTakeOver } from '../pipeline/take-over.ts';
import type { Db } from '../store/database.ts';
import { findIndexByNo } from '../store/indexes.ts';
import type { BehindObject } from '../store/protocol/copy.ts';
import { storedHashes } from '../store/protocol/live-write.ts';
import { type Lock, requireLock } from '../store/protocol/locks.ts';
import type { IndexRow } from '../store/schema.ts';
import { readStoredVectors } from '../store/stored-vectors.ts';

/** What copies need not embed again. */
export interface Reuse {
  /** The hashes of objects whose vectors the destination holds. */
  known: ReadonlyMap<string, string>;
  findVectors: NonNullable<PrepareOptions['findVectors']>;
}

/**
 * Returns what a copy takes over: vectors of the same model and text, from the destination's older parts of the object,
 * and from the source's. Nothing if the reindex does without. Error: `LockLost`.
 */
export async function findReuse(
  db: Db,
  { lock, held: given, dest }: { lock: string; held?: Lock | undefined; dest: IndexRow },
  objects: readonly BehindObject[],
): Promise<Reuse | undefined> {
  const held = given ?? (await requireLock(db, lock));
  if (!held.reuse) return undefined;
  const known = new Map(objects.flatMap(({ id, destHash }) => (destHash === null ? [] : [[id, destHash]])));
  const source = await findIndexByNo(db, held.sourceNo);
  const isSame = source !== undefined && mayTakeOver(source, dest);
  return {
    known,
    async findVectors({ ids, keys }) {
      const held = ids.filter((id) => known.has(id));
      const found = held.length > 0 ? await readStoredVectors(db, dest, { ids: held, keys }) : new Map();
      const missing = keys.filter((key) => !found.has(key));
      if (!isSame || missing.length === 0) return found;
      return new Map([...found, ...(await readStoredVectors(db, source, { ids, keys: missing }))]);
    },
  };
}

/** Returns what a live write takes over from the index itself: the vectors of unchanged objects and of unchanged parts. */
export function reuseWithin(db: Db, index: IndexRow): Required<Pick<PrepareOptions, 'known' | 'findVectors'>> {
  const held = new Set<string>();
  return {
    async known(ids) {
      const hashes = await storedHashes(db, index.no, ids);
      for (const id of hashes.keys()) held.add(id);
      return hashes;
    },
    // New objects have no parts to look at.
    async findVectors({ ids, keys }) {
      const older = ids.filter((id) => held.has(id));
      return older.length > 0 ? readStoredVectors(db, index, { ids: older, keys }) : new Map();
    },
  };
}

/**
 * Whether the destination of a lock is embedded with exactly what the source is: the switch then changes nothing about
 * the model, so that it need not be tried out.
 */
export async function keepsModel(db: Db, lock: Pick<Lock, 'sourceNo' | 'destNo' | 'reuse'> | null): Promise<boolean> {
  if (!lock?.reuse) return false;
  const [source, dest] = [await findIndexByNo(db, lock.sourceNo), await findIndexByNo(db, lock.destNo)];
  return source !== undefined && dest !== undefined && isSameModel(source, dest);
}
