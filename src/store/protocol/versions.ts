import { sql } from 'kysely';
import { textArray } from '../binary.ts';
import type { Db, Trx } from '../database.ts';
import { tablesOf } from '../partitions.ts';

/** Returns the next version, which orders a task's writes after all that were accepted before. */
export async function nextVersion(db: Db | Trx): Promise<number> {
  const { rows } = await sql<{ version: number }>`select nextval('reembed.versions') as version`.execute(db);
  return rows[0]?.version as number;
}

/**
 * Returns the highest change of an index. While no writer holds its gate, all changes up to it are committed. The
 * sequence's last value would be wrong: it may belong to an uncommitted write to another index, and after a server
 * crash it may be issued again, to a write that would then be missed.
 */
export async function lastChangeOf(db: Db | Trx, indexNo: number): Promise<number> {
  const { rows } = await sql<{ change: number }>`
    select coalesce(max(change), 0) as change
    from ${tablesOf(indexNo).objects}
    where index_no = ${indexNo}`.execute(db);
  return rows[0]?.change as number;
}

/** Returns the ids of the objects for which no version newer than the given one is stored. */
export async function notOvertaken(
  db: Db,
  indexNo: number,
  versions: ReadonlyMap<string, number>,
): Promise<Set<string>> {
  const ids = [...versions.keys()];
  const { rows } = await sql<{ object_id: string; version: number }>`
    select object_id, version
    from ${tablesOf(indexNo).objects}
    where index_no = ${indexNo} and object_id = any(${textArray(ids)}::text[])`.execute(db);
  const newer = rows.filter(({ object_id: id, version }) => version > (versions.get(id) ?? 0));
  const overtaken = new Set(newer.map(({ object_id: id }) => id));
  return new Set(ids.filter((id) => !overtaken.has(id)));
}

/** Whether an index has any object, tombstones included. */
export async function hasObjects(db: Db | Trx, indexNo: number): Promise<boolean> {
  const { rows } = await sql`
    select from ${tablesOf(indexNo).objects} where index_no = ${indexNo} limit 1`.execute(db);
  return rows.length > 0;
}
