import { sql } from 'kysely';
import { textArray } from '../binary.ts';
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
  for (const { id, version } of objects) {
    const deletion = removed.get(id) ?? 0;
    if (version === deletion) written.push(id);
    else if (version < deletion) stale.push(id);
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
