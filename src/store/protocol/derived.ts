import { sql } from 'kysely';
import type { Trx } from '../database.ts';
import { tablesOf } from '../partitions.ts';

/** Gives everything derived from deleted objects, to any depth, a tombstone with the version of the deletion. */
export async function deleteDerived(
  trx: Trx,
  indexNo: number,
  deletions: readonly { id: string; version: number }[],
): Promise<string[]> {
  if (deletions.length === 0) return [];
  const { objects, parts } = tablesOf(indexNo);
  const { rows } = await sql<{ object_id: string }>`
    with recursive deleted (id, version) as (
      select id collate "C", version
      from unnest(
        ${deletions.map(({ id }) => id)}::text[],
        ${deletions.map(({ version }) => version)}::bigint[]
      ) as deletion (id, version)
      union
      select derived.object_id, deleted.version
      from ${objects} derived
      join deleted on derived.original_id = deleted.id
    ),
    newest as (
      select id, max(version) as version from deleted group by id
    )
    update ${objects} stored set
      version = newest.version,
      change = nextval('reembed.changes'),
      deleted = true,
      failed = false,
      payload = null,
      metadata = '{}',
      uri = null,
      hash = null,
      write_time = now()
    from newest
    where stored.object_id = newest.id
      and stored.original_id is not null
      and not stored.deleted
      and stored.version < newest.version
    returning stored.object_id`.execute(trx);
  const ids = rows.map((row) => row.object_id);
  if (ids.length > 0) await sql`delete from ${parts} where object_id = any(${ids}::text[])`.execute(trx);
  return ids;
}

/** Of derived objects to write, the ids of those whose original was deleted with a higher version. */
export async function outlivedByOriginal(
  trx: Trx,
  indexNo: number,
  derived: readonly { id: string; version: number; originalId: string }[],
): Promise<Set<string>> {
  if (derived.length === 0) return new Set();
  const { rows } = await sql<{ id: string }>`
    select incoming.id
    from unnest(
      ${derived.map(({ id }) => id)}::text[],
      ${derived.map(({ version }) => version)}::bigint[],
      ${derived.map(({ originalId }) => originalId)}::text[]
    ) as incoming (id, version, original_id)
    join ${tablesOf(indexNo).objects} original on original.object_id = incoming.original_id
    where original.deleted and original.version > incoming.version`.execute(trx);
  return new Set(rows.map((row) => row.id));
}
