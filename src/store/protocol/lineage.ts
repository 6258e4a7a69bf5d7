import { sql } from 'kysely';
import { textArray } from '../binary.ts';
import type { Trx } from '../database.ts';
import { tablesOf } from '../partitions.ts';
import type { IndexRow } from '../schema.ts';
import { holdLineageLocks } from './gate.ts';
import { noteWritten, type Writer } from './history.ts';
import { deleteParts } from './object-parts.ts';

interface Deletion {
  id: string;
  version: number;
}

/**
 * Deletes everything derived from deleted objects, to any depth. Each gets a tombstone with the version of the
 * deletion, and newer objects remember the deletion for derived objects that may still arrive. The versions are task
 * numbers: with external versions, which do not order different objects, a tombstone keeps the version of its object.
 */
export async function deleteDerived(
  trx: Trx,
  { no: indexNo, versioning }: Pick<IndexRow, 'no' | 'versioning'>,
  deletions: readonly Deletion[],
  writer: Writer | null,
): Promise<void> {
  if (deletions.length === 0) return;
  const isExternal = versioning === 'external';
  const { objects } = tablesOf(indexNo);
  const lineage = await lockLineage(trx, indexNo, deletions);
  const newest = sql`
    deletion as materialized (
      select id, version, nextval('reembed.changes') as change
      from unnest(
        ${lineage.map(({ id }) => id)}::text[],
        ${lineage.map(({ version }) => version)}::bigint[]
      ) as deletion (id, version)
    )`;
  const { rows } = await sql<{ object_id: string }>`
    with ${newest},
    written as (
    update ${objects} stored set
      version = ${isExternal ? sql`stored.version` : sql`deletion.version`},
      accepted = ${isExternal ? sql`deletion.version` : sql`null`},
      change = deletion.change,
      deleted = true,
      deleted_version = deletion.version,
      failed = false,
      payload = null,
      metadata = '{}',
      uri = null,
      hash = null,
      copied_from = null,
      write_time = now()
    from deletion
    where stored.index_no = ${indexNo}
      and stored.object_id = any(${lineage.map(({ id }) => id)}::text[])
      and stored.object_id = deletion.id
      and coalesce(stored.accepted, stored.version) < deletion.version
    returning stored.object_id, false as is_new, stored.change, stored.version, stored.copied_from,
      'original-deleted' as reason, 'deleted' as kind
    ),
    ${noteWritten(
      indexNo,
      lineage.map(({ id }) => id),
      writer,
    )}
    select object_id from written`.execute(trx);
  const ids = rows.map((row) => row.object_id);
  await deleteParts(trx, indexNo, ids);
  await sql`
    with ${newest}
    update ${objects} stored set
      deleted_version = deletion.version,
      change = deletion.change
    from deletion
    where stored.index_no = ${indexNo}
      and stored.object_id = any(${lineage.map(({ id }) => id)}::text[])
      and stored.object_id = deletion.id
      and stored.deleted_version < deletion.version`.execute(trx);
}

/**
 * Finds the lineage that a batch of writes will touch, before anything is locked. Locking it all at once and in one
 * order hardly ever deadlocks; locking level by level deadlocks often.
 */
export async function predictLineage(
  db: Trx,
  indexNo: number,
  writes: { deleted: readonly string[]; derived: readonly { id: string; originalId: string }[] },
): Promise<{ deleted: string[]; originals: string[] }> {
  const { deleted, derived } = writes;
  const originals = derived.map(({ originalId }) => originalId);
  // An object derived from a deleted one may have to be deleted itself.
  const inheriting = await deletionsOfOriginals(db, indexNo, derived);
  const roots = [...deleted, ...inheriting.keys()];
  if (roots.length === 0) return { deleted: [], originals };
  const touched = new Set(roots);
  for (let level = [...touched]; level.length > 0; ) {
    const ids = (await derivedFrom(db, indexNo, level)).map(({ id }) => id);
    level = [...new Set(ids)].filter((id) => !touched.has(id));
    for (const id of level) touched.add(id);
  }
  return { deleted: [...touched], originals };
}

/** Finds what is derived directly from these objects. */
async function derivedFrom(
  trx: Trx,
  indexNo: number,
  originals: readonly string[],
): Promise<{ id: string; originalId: string }[]> {
  const { rows } = await sql<{ id: string; originalId: string }>`
    select object_id as id, original_id as "originalId"
    from ${tablesOf(indexNo).objects}
    where index_no = ${indexNo} and original_id = any(${textArray(originals)}::text[])`.execute(trx);
  return rows;
}

/**
 * Returns the deleted objects and everything derived from them, each with its highest deletion. Locks the lineage of
 * each level before it looks for the next one, so that nothing derived from it can be written at the same time.
 */
async function lockLineage(trx: Trx, indexNo: number, deletions: readonly Deletion[]): Promise<Deletion[]> {
  const found = new Map<string, number>();
  const locked = new Set<string>();
  let level: readonly Deletion[] = deletions;
  for (;;) {
    const raised = new Set<string>();
    for (const { id, version } of level) {
      if (version <= (found.get(id) ?? -1)) continue;
      found.set(id, version);
      raised.add(id);
    }
    if (raised.size === 0) break;
    const unlocked = [...raised].filter((id) => !locked.has(id));
    await holdLineageLocks(trx, indexNo, { deleted: unlocked, originals: [] });
    for (const id of unlocked) locked.add(id);
    const derived = await derivedFrom(trx, indexNo, [...raised]);
    level = derived.map(({ id, originalId }) => ({ id, version: found.get(originalId) ?? 0 }));
  }
  const lineage = [...found].map(([id, version]) => ({ id, version }));
  return lineage.sort((left, right) => Buffer.compare(Buffer.from(left.id), Buffer.from(right.id)));
}

/** Returns, for each derived object by id, the highest version at which its original was deleted, if it ever was. */
export async function deletionsOfOriginals(
  trx: Trx,
  indexNo: number,
  derived: readonly { id: string; originalId: string }[],
): Promise<Map<string, number>> {
  if (derived.length === 0) return new Map();
  const originals = textArray([...new Set(derived.map(({ originalId }) => originalId))]);
  const { rows } = await sql<Deletion>`
    select object_id as id, deleted_version as version
    from ${tablesOf(indexNo).objects}
    where index_no = ${indexNo} and object_id = any(${originals}::text[]) and deleted_version > 0
    union all
    select object_id, deleted_version
    from reembed.removed_objects
    where index_no = ${indexNo} and object_id = any(${originals}::text[]) and deleted_version > 0`.execute(trx);
  if (rows.length === 0) return new Map();
  const deleted = new Map<string, number>();
  for (const { id, version } of rows) deleted.set(id, Math.max(version, deleted.get(id) ?? 0));
  const found = new Map<string, number>();
  for (const { id, originalId } of derived) {
    const version = deleted.get(originalId);
    if (version !== undefined) found.set(id, Math.max(version, found.get(id) ?? 0));
  }
  return found;
}

/**
 * Adds the original to tombstones that arrived before their object, so that later deletions of it reach what is derived
 * from them. It counts as a change, so an index that is being built gets it too.
 */
export async function rememberOriginals(
  trx: Trx,
  indexNo: number,
  derived: readonly { id: string; originalId: string }[],
): Promise<void> {
  if (derived.length === 0) return;
  await sql`
    with incoming as materialized (
      select id, original_id, nextval('reembed.changes') as change
      from unnest(
        ${derived.map(({ id }) => id)}::text[],
        ${derived.map(({ originalId }) => originalId)}::text[]
      ) as incoming (id, original_id)
    )
    update ${tablesOf(indexNo).objects} stored set
      original_id = incoming.original_id,
      change = incoming.change
    from incoming
    where stored.index_no = ${indexNo}
      and stored.object_id = any(${derived.map(({ id }) => id)}::text[])
      and stored.object_id = incoming.id
      and stored.deleted
      and stored.original_id is null`.execute(trx);
}
