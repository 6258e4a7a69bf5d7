import { sql } from 'kysely';
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
    unnest(
      ${lineage.map(({ id }) => id)}::text[],
      ${lineage.map(({ version }) => version)}::bigint[]
    ) as deletion (id, version)`;
  const { rows } = await sql<{ object_id: string }>`
    with written as (
    update ${objects} stored set
      version = ${isExternal ? sql`stored.version` : sql`deletion.version`},
      accepted = ${isExternal ? sql`deletion.version` : sql`null`},
      change = nextval('reembed.changes'),
      deleted = true,
      deleted_version = deletion.version,
      failed = false,
      payload = null,
      metadata = '{}',
      uri = null,
      hash = null,
      copied_from = null,
      write_time = now()
    from ${newest}
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
    update ${objects} stored set
      deleted_version = deletion.version,
      change = nextval('reembed.changes')
    from ${newest}
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
  const { rows } = await sql<{ id: string }>`
    with recursive touched (id) as (
      select id collate "C" from unnest(${roots}::text[]) as root (id)
      union
      select derived.object_id
      from ${tablesOf(indexNo).objects} derived
      join touched on derived.index_no = ${indexNo} and derived.original_id = touched.id
    )
    select id from touched`.execute(db);
  return { deleted: rows.map(({ id }) => id), originals };
}

/**
 * Returns the deleted objects and everything derived from them, each with its highest deletion. Locks their lineage
 * level by level until no new object is found, so that nothing derived from them can be written at the same time.
 */
async function lockLineage(trx: Trx, indexNo: number, deletions: readonly Deletion[]): Promise<Deletion[]> {
  const locked = new Set<string>();
  let found: Deletion[] = [...deletions];
  for (;;) {
    const unlocked = found.map(({ id }) => id).filter((id) => !locked.has(id));
    if (unlocked.length === 0) return found;
    await holdLineageLocks(trx, indexNo, { deleted: unlocked, originals: [] });
    for (const id of unlocked) locked.add(id);
    const { rows } = await sql<Deletion>`
      with recursive deleted (id, version) as (
        select id collate "C", version
        from unnest(
          ${deletions.map(({ id }) => id)}::text[],
          ${deletions.map(({ version }) => version)}::bigint[]
        ) as deletion (id, version)
        union
        select derived.object_id, deleted.version
        from ${tablesOf(indexNo).objects} derived
        join deleted on derived.index_no = ${indexNo} and derived.original_id = deleted.id
      )
      select id, max(version) as version
      from deleted
      group by id
      order by id`.execute(trx);
    found = rows;
  }
}

/** Returns, for each derived object by id, the highest version at which its original was deleted, if it ever was. */
export async function deletionsOfOriginals(
  trx: Trx,
  indexNo: number,
  derived: readonly { id: string; originalId: string }[],
): Promise<Map<string, number>> {
  if (derived.length === 0) return new Map();
  const { rows } = await sql<{ id: string; version: number }>`
    select incoming.id, greatest(original.deleted_version, removed.deleted_version) as version
    from unnest(
      ${derived.map(({ id }) => id)}::text[],
      ${derived.map(({ originalId }) => originalId)}::text[]
    ) as incoming (id, original_id)
    left join ${tablesOf(indexNo).objects} original
      on original.index_no = ${indexNo} and original.object_id = incoming.original_id
    left join reembed.removed_objects removed
      on removed.index_no = ${indexNo} and removed.object_id = incoming.original_id
    where original.deleted_version > 0 or removed.deleted_version > 0`.execute(trx);
  return new Map(rows.map(({ id, version }) => [id, version]));
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
    update ${tablesOf(indexNo).objects} stored set
      original_id = incoming.original_id,
      change = nextval('reembed.changes')
    from unnest(
      ${derived.map(({ id }) => id)}::text[],
      ${derived.map(({ originalId }) => originalId)}::text[]
    ) as incoming (id, original_id)
    where stored.index_no = ${indexNo}
      and stored.object_id = any(${derived.map(({ id }) => id)}::text[])
      and stored.object_id = incoming.id
      and stored.deleted
      and stored.original_id is null`.execute(trx);
}
