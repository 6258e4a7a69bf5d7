import { sql } from 'kysely';
import { bigintArray, textArray } from '../binary.ts';
import type { Trx } from '../database.ts';
import { tablesOf } from '../partitions.ts';
import type { IndexRow } from '../schema.ts';
import type { ObjectWrite } from './object-write.ts';
import { removalsOf } from './removed.ts';

/** The verdict on writes to objects that have no row, before they are stored. */
export interface Judgement {
  /** Ids of writes that must not be stored. */
  decided: ReadonlySet<string>;
  written: string[];
  stale: string[];
  beyondRetention: string[];
}

/** Judges by the highest removed version: at or below it, it is unknown whether an object was deleted. */
export async function judgeByHighest(
  trx: Trx,
  index: Pick<IndexRow, 'no' | 'removedVersion'>,
  objects: readonly ObjectWrite[],
): Promise<Judgement> {
  const suspects = objects.filter((object) => object.version <= index.removedVersion).map(({ id }) => id);
  const stored = await storedVersions(trx, index.no, suspects);
  const beyondRetention = suspects.filter((id) => !stored.has(id));
  return { decided: new Set(beyondRetention), written: [], stale: [], beyondRetention };
}

/** Judges by what is remembered of each object: external versions are comparable only within one object. */
export async function judgeForgotten(trx: Trx, indexNo: number, objects: readonly ObjectWrite[]): Promise<Judgement> {
  const removed = await removalsOf(
    trx,
    indexNo,
    objects.map(({ id }) => id),
  );
  const written: string[] = [];
  const stale: string[] = [];
  for (const { id, version, kind } of objects) {
    const deletion = removed.get(id) ?? 0;
    if (version === deletion && kind === 'tombstone') written.push(id);
    else if (version <= deletion) stale.push(id);
  }
  return { decided: new Set([...written, ...stale]), written, stale, beyondRetention: [] };
}

/** Returns the stored versions of these objects by id. */
export async function storedVersions(trx: Trx, indexNo: number, ids: readonly string[]): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<{ object_id: string; version: number }>`
    select object_id, version
    from ${tablesOf(indexNo).objects}
    where index_no = ${indexNo} and object_id = any(${textArray(ids)}::text[])`.execute(trx);
  return new Map(rows.map((row) => [row.object_id, row.version]));
}

/**
 * Returns the ids of those writes that differ from what is stored with their version: a client may use one version for
 * two contents of an object, or for its content and its deletion.
 */
export async function differingAt(
  trx: Trx,
  indexNo: number,
  objects: readonly ObjectWrite[],
): Promise<ReadonlySet<string>> {
  const compared = objects.filter(({ kind }) => kind !== 'failed' && kind !== 'overtaken');
  if (compared.length === 0) return new Set();
  const content = compared.map((object) => ('metadata' in object ? object : undefined));
  const { rows } = await sql<{ id: string }>`
    select id
    from unnest(
      ${textArray(compared.map(({ id }) => id))}::text[],
      ${bigintArray(compared.map(({ version }) => version))}::bigint[],
      ${textArray(content.map((object) => object?.hash ?? null))}::text[],
      ${textArray(content.map((object) => object?.originalId ?? null))}::text[],
      ${textArray(content.map((object) => JSON.stringify(object?.metadata ?? {})))}::text[]
    ) as incoming (id, version, hash, original_id, metadata)
    join ${tablesOf(indexNo).objects} stored on stored.index_no = ${indexNo} and stored.object_id = incoming.id
    where stored.version = incoming.version
      and case
        when incoming.hash is null then not stored.deleted
        else stored.deleted
          or (stored.hash, stored.original_id, stored.metadata)
            is distinct from (incoming.hash, incoming.original_id, incoming.metadata::jsonb)
      end`.execute(trx);
  return new Set(rows.map(({ id }) => id));
}
