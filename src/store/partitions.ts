import { type RawBuilder, sql } from 'kysely';
import type { Db, Trx } from './database.ts';

export interface Tables {
  objects: RawBuilder<unknown>;
  parts: RawBuilder<unknown>;
}

/**
 * The partitions of one index. Statements name them directly: Postgres then plans over and locks one table, however
 * many indexes there are, and taking an index away never waits for the readers of another.
 */
export function tablesOf(indexNo: number): Tables {
  return { objects: sql.id('reembed', `objects_${indexNo}`), parts: sql.id('reembed', `parts_${indexNo}`) };
}

/** Makes the partitions of an index. Attaching, unlike `partition of`, does not lock out the other indexes' users. */
export async function createPartitions(trx: Trx, indexNo: number): Promise<void> {
  const tables = tablesOf(indexNo);
  const no = sql.lit(indexNo);
  for (const [parent, table] of [
    [sql.id('reembed', 'objects'), tables.objects],
    [sql.id('reembed', 'parts'), tables.parts],
  ]) {
    await sql`create table ${table} (like ${parent} including all)`.execute(trx);
    await sql`alter table ${parent} attach partition ${table} for values in (${no})`.execute(trx);
  }
}

export async function dropPartitions(db: Db | Trx, indexNo: number): Promise<void> {
  const { objects, parts } = tablesOf(indexNo);
  await sql`drop table if exists ${parts}`.execute(db);
  await sql`drop table if exists ${objects}`.execute(db);
}
