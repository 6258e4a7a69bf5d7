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

/** Enough to show which columns are alike in all rows, and which in none. */
const SAMPLE_ROWS = 100;

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
  await primeStatistics(trx, indexNo);
}

/**
 * Gives the planner statistics of partitions that are still empty, from rows that are gone again at once. Until
 * autovacuum has been there, which takes a minute or more, Postgres would think that the number of the index picks one
 * row in 200, and read the whole partition by it for each batch of ids: a bulk load would slow down as it goes. Some rows
 * are derived and some deleted, or the partial indexes on those would seem to be empty for ever.
 */
async function primeStatistics(trx: Trx, indexNo: number): Promise<void> {
  const { objects, parts } = tablesOf(indexNo);
  await sql`
    insert into ${objects} (index_no, object_id, version, change, deleted, payload, original_id, hash)
    select ${indexNo}::int, 'object-' || n, n, n, n % 10 = 0, '"text"',
      case when n % 2 = 0 then 'object-' || n / 2 end, 'hash-' || n
    from generate_series(1, ${SAMPLE_ROWS}::int) n`.execute(trx);
  await sql`
    insert into ${parts} (index_no, object_id, part, embedding)
    select ${indexNo}::int, 'object-' || n, 0, '[0]'
    from generate_series(1, ${SAMPLE_ROWS}::int) n`.execute(trx);
  await sql`analyze ${objects}, ${parts}`.execute(trx);
  await sql`truncate ${objects}, ${parts}`.execute(trx);
}

export async function dropPartitions(db: Db | Trx, indexNo: number): Promise<void> {
  const { objects, parts } = tablesOf(indexNo);
  await sql`drop table if exists ${parts}`.execute(db);
  await sql`drop table if exists ${objects}`.execute(db);
}
