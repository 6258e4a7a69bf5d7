import { type Kysely, type RawBuilder, sql } from 'kysely';
import { ReembedError } from '../contract/errors.ts';
import { codeOf, type Db, type Trx } from './database.ts';

export interface Tables {
  objects: RawBuilder<unknown>;
  parts: RawBuilder<unknown>;
}

/**
 * The tables of one index. They belong to no other table: Postgres plans over and locks these alone, however many indexes
 * there are, and neither creating nor dropping an index waits for a lock that the users of another index need.
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

/** The tables that those of each index are made like. They hold no rows. */
const TEMPLATES = { objects: sql.raw('reembed.objects'), parts: sql.raw('reembed.parts') };

/** Makes the tables of an index. */
export async function createTables(trx: Trx, indexNo: number): Promise<void> {
  const tables = tablesOf(indexNo);
  for (const kind of ['objects', 'parts'] as const) {
    await sql`
      create table ${tables[kind]} (
        like ${TEMPLATES[kind]} including all,
        check (index_no = ${sql.lit(indexNo)})
      )`.execute(trx);
  }
  await createMetadataIndex(trx, indexNo);
  await primeStatistics(trx, indexNo);
}

/**
 * Makes the index by which a search with a filter finds the objects that pass it. One that is missing makes such
 * searches slow, not wrong. `concurrently` holds no writer up, and is not for a transaction.
 */
export async function createMetadataIndex(
  db: Db | Trx,
  indexNo: number,
  { concurrently = false }: { concurrently?: boolean } = {},
): Promise<void> {
  const how = concurrently ? sql`concurrently` : sql``;
  await sql`
    create index ${how} if not exists ${sql.id(`objects_${indexNo}_metadata`)} on ${tablesOf(indexNo).objects}
    using gin (metadata jsonb_path_ops)
    where not deleted`.execute(db);
}

/**
 * For migrations: changes the template and the tables of all indexes alike.
 * @example await alterTables(db, 'objects', sql`add column note text`);
 */
export async function alterTables(db: Kysely<unknown>, kind: keyof Tables, change: RawBuilder<unknown>): Promise<void> {
  // First: an index that is created meanwhile is either committed or made like the changed template.
  await sql`alter table ${TEMPLATES[kind]} ${change}`.execute(db);
  // Those that are attached to the template, as earlier versions did it, have changed with it.
  const { rows } = await sql<{ name: string }>`
    select c.relname as name
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'reembed'
      and c.relkind = 'r'
      and c.relname ~ ${`^${kind}_[0-9]+$`}
      and not c.relispartition
    order by c.relname`.execute(db);
  for (const { name } of rows) await sql`alter table ${sql.id('reembed', name)} ${change}`.execute(db);
}

/**
 * Gives the planner statistics of tables that are still empty, from rows that are gone again at once. Until
 * autovacuum has been there, which takes a minute or more, Postgres would think that the number of the index picks one
 * row in 200, and read the whole table by it for each batch of ids: a bulk load would slow down as it goes. Some rows
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
