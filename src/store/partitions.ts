import { type Kysely, type RawBuilder, sql } from 'kysely';
import { ReembedError } from '../contract/errors.ts';
import type { Storage } from '../contract/vector-index.ts';
import { distributeTable } from './citus/distribute.ts';
import { readIsDistributed } from './citus/layout.ts';
import type { Db, Trx } from './database.ts';
import { codeOf, SQLSTATE } from './sqlstate.ts';

export interface Tables {
  objects: RawBuilder<unknown>;
  parts: RawBuilder<unknown>;
}

/**
 * Returns the tables of one index. They are standalone tables: Postgres plans and locks only these, no matter how many
 * indexes there are, and creating or dropping an index needs no lock that users of another index hold.
 */
export function tablesOf(indexNo: number): Tables {
  return { objects: sql.id('reembed', `objects_${indexNo}`), parts: sql.id('reembed', `parts_${indexNo}`) };
}

/** Enough rows to show which columns are the same in all rows, and which in none. */
const SAMPLE_ROWS = 100;

/** Reads an index's tables outside its gate. Error: `IndexNotFound` if they were dropped after the lookup. */
export async function readTables<T>(index: { name: string }, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (codeOf(error) !== SQLSTATE.undefinedTable) throw error;
    throw new ReembedError('IndexNotFound', `the index ${index.name} was deleted`, { cause: error });
  }
}

/** The template tables for those of each index. They hold no rows. */
const TEMPLATES = { objects: sql.raw('reembed.objects'), parts: sql.raw('reembed.parts') };

/** Creates the tables of an index; `fullText` also indexes the words of its parts. `storage` is the type of vectors. */
export async function createTables(
  trx: Trx,
  indexNo: number,
  { fullText = false, storage = 'vector' }: { fullText?: boolean; storage?: Storage | undefined } = {},
): Promise<void> {
  const tables = tablesOf(indexNo);
  for (const kind of ['objects', 'parts'] as const) {
    await sql`
      create table ${tables[kind]} (
        like ${TEMPLATES[kind]} including all,
        check (index_no = ${sql.lit(indexNo)})
      )`.execute(trx);
  }
  if (storage === 'halfvec') await sql`alter table ${tables.parts} alter column embedding type halfvec`.execute(trx);
  if (await readIsDistributed(trx)) {
    for (const kind of ['objects', 'parts']) await distributeTable(trx, `reembed.${kind}_${indexNo}`);
  }
  await createMetadataIndex(trx, indexNo);
  if (fullText) {
    await sql`create index ${sql.id(`parts_${indexNo}_words`)} on ${tables.parts} using gin (words)`.execute(trx);
  }
  await primeStatistics(trx, indexNo);
}

/**
 * Creates the index for searches with a filter. If it is missing, such searches are slow, not wrong. `concurrently`
 * does not block writers, and cannot run in a transaction.
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
 * Changes the template and the tables of all indexes alike, for migrations.
 * @example await alterTables(db, 'objects', sql`add column note text`);
 */
export async function alterTables(db: Kysely<unknown>, kind: keyof Tables, change: RawBuilder<unknown>): Promise<void> {
  // First, so that an index created at the same time is either committed or copies the changed template.
  await sql`alter table ${TEMPLATES[kind]} ${change}`.execute(db);
  // Tables attached to the template, as earlier versions created them, have changed with it.
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
 * Gives the planner statistics for tables that are still empty, from rows that are removed again immediately. Until the
 * first autovacuum, which takes a minute or more, Postgres would assume that the index number selects one row in 200,
 * and read the whole table by it for each batch of ids, so a bulk load would slow down as it proceeds. Some rows are
 * derived and some deleted; otherwise the partial indexes on those would appear to be empty forever.
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
