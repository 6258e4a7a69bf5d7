import type { Trx } from '../database.ts';
import type { IndexRow } from '../schema.ts';
import { holdLineageLocks } from './gate.ts';
import type { Writer } from './history.ts';
import { differingAt, judgeByHighest, judgeForgotten, storedVersions } from './judge.ts';
import { deleteDerived, deletionsOfOriginals, predictLineage, rememberOriginals } from './lineage.ts';
import { lockRows } from './lock-rows.ts';
import { deleteParts, insertParts } from './object-parts.ts';
import { bumpUnchanged, type CopiedFrom, replaceObjects, type StoreOptions } from './object-rows.ts';
import type { ObjectWrite, WriteCounts } from './object-write.ts';
import { recallRemoved } from './removed.ts';

/**
 * Applies live writes to one index. A write is applied if its version is higher than the stored one. The caller holds
 * the index's gate. Rows are locked in the order of their ids, so two batches with the same objects wait for each other
 * instead of deadlocking.
 */
export async function applyWrites(
  trx: Trx,
  index: Pick<IndexRow, 'no' | 'removedVersion' | 'versioning'>,
  objects: readonly ObjectWrite[],
  writer: Writer | null = null,
): Promise<WriteCounts> {
  const isExternal = index.versioning === 'external';
  const lineage = await predictLineage(trx, index.no, {
    deleted: objects.filter(({ kind }) => kind === 'tombstone').map(idOf),
    derived: derivedOf(objects),
  });
  await holdLineageLocks(trx, index.no, lineage);
  await lockRows(trx, index.no, [...objects.map(idOf), ...lineage.deleted], lineage.deleted.length > 0);
  const known = isExternal ? await judgeForgotten(trx, index.no, objects) : await judgeByHighest(trx, index, objects);
  const allowed = objects.filter(({ id }) => !known.decided.has(id));

  // An object derived from one that was deleted later is deleted too, as it would have been had it arrived in time.
  const inherited = await deletionsOfOriginals(trx, index.no, derivedOf(allowed));
  const orphans = new Set<string>();
  const judged = allowed.map((object): ObjectWrite => {
    if (inherited.size === 0) return object;
    const deletion = inherited.get(object.id) ?? 0;
    if (object.kind === 'tombstone' || deletion <= numberOf(object)) return object;
    orphans.add(object.id);
    const { id, originalId } = object;
    // A client's version is comparable only with other versions of the same object.
    const order = isExternal ? { version: object.version, accepted: deletion } : { version: deletion };
    return { kind: 'tombstone', id, ...order, originalId };
  });
  const { counts, replaced } = await store(trx, index.no, judged, {
    isCopy: false,
    isExternal,
    copiedFrom: null,
    writer,
  });
  if (isExternal) await recallRemoved(trx, index.no, counts.written);
  const staleIds = new Set(counts.stale);
  await rememberOriginals(
    trx,
    index.no,
    derivedOf(allowed).filter(({ id }) => staleIds.has(id)),
  );
  // With external versions, a stale deletion did not happen after the stored write.
  const deletions = allowed.filter(({ id, kind }) => kind === 'tombstone' && (!isExternal || replaced.has(id)));
  const roots = [
    ...deletions.map((object) => ({ id: object.id, version: numberOf(object) })),
    ...[...inherited].map(([id, version]) => ({ id, version })),
  ];
  await deleteDerived(trx, index, roots, writer);
  return {
    written: [...known.written, ...counts.written.filter((id) => !orphans.has(id))],
    stale: [...known.stale, ...counts.stale.filter((id) => !orphans.has(id)), ...orphans.keys()],
    changed: counts.changed,
    beyondRetention: known.beyondRetention,
  };
}

/** The number that orders the writes of different objects. */
function numberOf({ version, accepted }: ObjectWrite): number {
  return accepted ?? version;
}

function derivedOf(objects: readonly ObjectWrite[]): { id: string; originalId: string }[] {
  const derived: { id: string; originalId: string }[] = [];
  for (const { id, kind, originalId } of objects) {
    if (originalId && kind !== 'tombstone') derived.push({ id, originalId });
  }
  return derived;
}

/**
 * Stores copies unchanged. The source has already checked their age and lineage; checking again could give another
 * result, since copies arrive in a different order. `copiedFrom` is the number of the source; `keep` leaves the column
 * as it is.
 */
export async function storeObjects(
  trx: Trx,
  indexNo: number,
  objects: readonly ObjectWrite[],
  copiedFrom: CopiedFrom,
  writer: Writer | null = null,
): Promise<WriteCounts> {
  return (await store(trx, indexNo, objects, { isCopy: true, copiedFrom, writer })).counts;
}

/**
 * Stores each object whose version is higher than the stored one and replaces its parts. In a copy, a tombstone
 * replaces content of the same version: the source deleted that content together with its original.
 */
async function store(
  trx: Trx,
  indexNo: number,
  objects: readonly ObjectWrite[],
  options: StoreOptions,
): Promise<{ counts: WriteCounts; replaced: ReadonlySet<string> }> {
  const { first, repeated } = splitRepeated(objects);
  const replace = first.filter(({ kind }) => kind !== 'unchanged' && kind !== 'overtaken');
  const keep = first.filter((object) => object.kind === 'unchanged');
  await lockRows(trx, indexNo, first.map(idOf), replace.length > 0 && keep.length > 0);
  const replaced = await replaceObjects(trx, indexNo, replace, options);
  const kept = await bumpUnchanged(trx, indexNo, keep, options);
  await deleteParts(trx, indexNo, replaced.older);
  await insertParts(trx, indexNo, replace, replaced.ids);

  const missed = [...first.filter(({ id }) => !replaced.ids.has(id) && !kept.has(id)), ...repeated];
  const stored = await storedVersions(trx, indexNo, missed.map(idOf));
  const others = options.isExternal ? await differingAt(trx, indexNo, missed) : new Set();
  const counts: WriteCounts = { written: [...replaced.ids, ...kept], stale: [], changed: [], beyondRetention: [] };
  for (const object of missed) {
    const version = stored.get(object.id);
    if (object.kind === 'overtaken' || others.has(object.id)) counts.stale.push(object.id);
    else if (version === object.version) counts.written.push(object.id);
    else if (version !== undefined && version > object.version) counts.stale.push(object.id);
    else counts.changed.push(object.id);
  }
  return { counts, replaced: replaced.ids };
}

/** A statement can write a row only once: of a repeated id, keeps the highest version, or the first of equal ones. */
function splitRepeated(objects: readonly ObjectWrite[]): { first: ObjectWrite[]; repeated: ObjectWrite[] } {
  const best = new Map<string, ObjectWrite>();
  for (const object of objects) {
    const before = best.get(object.id);
    if (!before || before.version < object.version) best.set(object.id, object);
  }
  return { first: [...best.values()], repeated: objects.filter((object) => best.get(object.id) !== object) };
}

const idOf = (object: { id: string }) => object.id;
