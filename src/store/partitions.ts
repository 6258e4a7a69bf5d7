import { type RawBuilder, sql } from 'kysely';
import { ReembedError } from '../contract/errors.ts';
import { codeOf, type Db, type Trx } from './database.ts';

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

const UNDEFINED_TABLE = '42P01';

/** Reads an index's tables outside of its gate. Error: `IndexNotFound` when they were dropped since it was looked up. */
export async function readTables<T>(index: { name: string }, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (codeOf(error) !== UNDEFINED_TABLE) throw error;
    throw new ReembedError('IndexNotFound', `the index ${index.name} was deleted`, { cause: error });
  }
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
