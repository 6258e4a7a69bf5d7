import { sql } from 'kysely';
import { textArray } from '../binary.ts';
import type { Db, Trx } from '../database.ts';
import { tablesOf } from '../partitions.ts';

/** The next version: it orders a task's writes after all that were accepted before. */
export async function nextVersion(db: Db | Trx): Promise<number> {
  const { rows } = await sql<{ version: number }>`select nextval('reembed.versions') as version`.execute(db);
  return rows[0]?.version as number;
}

/**
 * The highest change of an index. At an instant at which no writer holds its gate, all of its changes up to it are
 * committed. Not the last value of the sequence: that may have been given to another index's write which is not
 * committed, and after a crash of the server be given out again, to a write that would then not be seen.
 */
export async function lastChangeOf(db: Db | Trx, indexNo: number): Promise<number> {
  const { rows } = await sql<{ change: number }>`
    select coalesce(max(change), 0) as change
    from ${tablesOf(indexNo).objects}
    where index_no = ${indexNo}`.execute(db);
  return rows[0]?.change as number;
}

/** Of objects with the versions they are to be written with, those of which no newer version is stored. */
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
