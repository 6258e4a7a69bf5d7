import { type RawBuilder, sql } from 'kysely';
import type { Json } from '../../contract/json.ts';
import { withExactNumbers } from '../../contract/json-text/exact-numbers.ts';
import { LIMITS } from '../../contract/limits.ts';
import { objectIdOf } from '../../contract/source-text.ts';
import { textArray } from '../binary.ts';
import { type Db, type Trx, transaction } from '../database.ts';
import { compileFilter } from '../filters/compile.ts';
import { MAX_READ_WEIGHT, storedWeight } from '../read-size.ts';
import { columnsAsJson } from './columns-as-json.ts';
import { ident, keyText, qualified } from './names.ts';
import type { KeyColumn } from './resolved.ts';
import { pinSession } from './session.ts';

type Sql = RawBuilder<unknown>;

/** A followed table, and what is read of it. */
export interface ReadTable {
  schema: string;
  name: string;
  key: readonly KeyColumn[];
  /** The types in SQL of all columns that are read. */
  types: ReadonlyMap<string, string>;
  textColumns: readonly string[];
  uriColumn: string | null;
  metadataColumns: readonly string[];
  /** A filter over the columns `filterColumns`. */
  where: object | undefined;
  filterColumns: readonly string[];
}

/** A row of a followed table. */
export interface TableRow {
  /** The key's values as text. */
  key: string[];
  /** False: it does not pass `where`, and nothing else was read. */
  wanted: boolean;
  /** Values of the text columns; null: too large. */
  texts: (string | null)[] | null;
  uri: string | null;
  /** Null: too large. */
  metadata: Record<string, Json> | null;
}

/** Max bytes of the text columns of a row, and of its metadata, that the database sends. */
const MAX_TEXT_BYTES = LIMITS.payloadBytes;
const MAX_METADATA_BYTES = 4 * LIMITS.metadataBytes;

/**
 * Reads rows by key. Stops when the stored size of the rows exceeds 4 MiB, but reads at least one: `left` are the keys
 * that it did not get to. A key without a row is in neither.
 */
export async function readRowsByKey(
  db: Db | Trx,
  table: ReadTable,
  keys: readonly string[][],
): Promise<{ rows: TableRow[]; left: string[][] }> {
  const rows = await read(db, table, { from: keysAsRows(table, keys), place: sql`k.place` });
  return {
    rows: rows.filter(({ isRead }) => isRead).map(toRow),
    left: rows.filter(({ isRead }) => !isRead).map(({ key }) => key),
  };
}

/** Returns those of the keys that have a row which passes `where`, and whose texts are those of the row's key. */
export async function findWantedKeys(db: Db, table: ReadTable, keys: readonly string[][]): Promise<string[][]> {
  const { rows } = await pinned(db, (trx) =>
    sql<{ key: string[] }>`
      select to_json(array[${sql.join(keyTexts(table))}]) as key
      from ${keysAsRows(table, keys)}
      where ${wantedBy(table)}`.execute(trx),
  );
  // Other texts, such as 042, may be of the same value.
  const found = new Set(rows.map(({ key }) => objectIdOf(key)));
  return keys.filter((key) => found.has(objectIdOf(key)));
}

/** Reads the next rows in the order of the key, as {@link readRowsByKey}. `isLast`: no row follows. */
export async function readRowsAfter(
  db: Db,
  table: ReadTable,
  { after, limit }: { after: readonly string[] | null; limit: number },
): Promise<{ rows: TableRow[]; isLast: boolean }> {
  const from = nextRows(table, { after, limit });
  const rows = await read(db, table, { from, place: sql`row_number() over (order by ${keyColumns(table)})` });
  const found = rows.filter(({ isRead }) => isRead);
  return { rows: found.map(toRow), isLast: found.length === rows.length && rows.length < limit };
}

/** Returns the keys of the next rows, for those that cannot all be read. */
export async function readKeysAfter(
  db: Db,
  table: ReadTable,
  { after, limit }: { after: readonly string[] | null; limit: number },
): Promise<string[][]> {
  const { rows } = await pinned(db, (trx) =>
    sql<{ key: string[] }>`
      select to_json(array[${sql.join(keyTexts(table))}]) as key
      from ${nextRows(table, { after, limit })}
      order by ${keyColumns(table)}`.execute(trx),
  );
  return rows.map(({ key }) => key);
}

/** Counts the rows of a table; an estimate for one that has many. */
export async function countRows(db: Db, table: ReadTable): Promise<number> {
  const { rows } = await sql<{ rows: number }>`
    select coalesce(sum(greatest(reltuples, 0)), 0)::float8 as rows
    from pg_class
    where oid in (select relid from pg_partition_tree(${qualified(table)}::text::regclass) where isleaf)
      or oid = ${qualified(table)}::text::regclass and relkind <> 'p'`.execute(db);
  const estimate = rows[0]?.rows ?? 0;
  if (estimate > MAX_COUNTED) return Math.round(estimate);
  const counted = await sql<{ rows: number }>`select count(*) as rows from ${tableOf(table)}`.execute(db);
  return counted.rows[0]?.rows ?? 0;
}

/** A table that is estimated to have more rows is not counted. */
const MAX_COUNTED = 1_000_000;

type ReadRow = Omit<TableRow, 'metadata'> & { isRead: boolean; metadata: string | null };

/** Lists of texts come as JSON, which the driver parses many times faster than arrays. */
async function read(db: Db | Trx, table: ReadTable, { from, place }: { from: Sql; place: Sql }): Promise<ReadRow[]> {
  const texts = table.textColumns.map((name) => sql`${columnOf(name)}::text`);
  const key = keyTexts(table);
  const { rows } = await pinned(db, (trx) =>
    sql<ReadRow>`
      select is_read as "isRead", to_json(key) as key, wanted,
        case when is_read and wanted and bytes <= ${sql.lit(MAX_TEXT_BYTES)} then to_json(texts) end as texts,
        case when is_read and wanted then uri end as uri,
        case when is_read and wanted and octet_length(metadata::text) <= ${sql.lit(MAX_METADATA_BYTES)} then metadata::text end as metadata
      from (
        select *, coalesce(sum(weight) over before, 0) <= ${sql.lit(MAX_READ_WEIGHT)} as is_read
        from (
          select ${place} as place, array[${sql.join(key)}] as key, ${wantedBy(table)} as wanted,
            ${sumOf(table.textColumns.map((name) => storedWeight(columnOf(name))))} as weight,
            ${sumOf(texts.map((text) => sql`coalesce(octet_length(${text}), 0)`))} as bytes,
            array[${sql.join(texts)}]::text[] as texts,
            ${table.uriColumn === null ? sql`null::text` : sql`${columnOf(table.uriColumn)}::text`} as uri,
            ${columnsAsJson(table.metadataColumns, table.types)} as metadata
          from ${from}
        ) rows
        window before as (order by place rows between unbounded preceding and 1 preceding)
      ) weighed
      order by place`.execute(trx),
  );
  return rows;
}

/** Metadata comes as text: the driver would round the numbers within JSON and arrays. */
function toRow({ key, wanted, texts, uri, metadata }: ReadRow): TableRow {
  return { key, wanted, texts, uri, metadata: metadata === null ? null : JSON.parse(withExactNumbers(metadata)) };
}

/** Runs a read in a transaction in which values are written as text in one way. */
export function pinned<T>(db: Db | Trx, work: (trx: Trx) => Promise<T>): Promise<T> {
  const within = async (trx: Trx) => {
    await pinSession(trx);
    return work(trx);
  };
  return db.isTransaction ? within(db as Trx) : transaction(db as Db, within);
}

/** The rows of these keys as `t`, with the place of their key as `k.place`, from 1. */
export function keysAsRows(table: ReadTable, keys: readonly string[][]): Sql {
  const names = [...table.key.map((_, at) => sql.id(`k${at}`)), sql.id('place')];
  const arrays = table.key.map((_, at) => sql`${textArray(keys.map((key) => key[at] ?? ''))}::text[]`);
  const matches = table.key.map(
    ({ name, type }, at) => sql`${columnOf(name)} = ${sql.ref(`k.k${at}`)}::${sql.raw(type)}`,
  );
  return sql`
    unnest(${sql.join(arrays)}) with ordinality as k (${sql.join(names)})
    join ${tableOf(table)} t on ${sql.join(matches, sql` and `)}`;
}

/** The next rows in the order of the key as `t`. It has no other columns: the table may have one of any name. */
function nextRows(table: ReadTable, { after, limit }: { after: readonly string[] | null; limit: number }): Sql {
  const names = keyColumns(table);
  const values = after && sql.join(table.key.map(({ type }, at) => sql`${after[at]}::text::${sql.raw(type)}`));
  const begin = values ? sql`where (${names}) > (${values})` : sql``;
  return sql`(select * from ${tableOf(table)} t ${begin} order by ${names} limit ${limit}) t`;
}

function keyColumns(table: ReadTable): Sql {
  return sql.join(table.key.map(({ name }) => columnOf(name)));
}

export function keyTexts(table: ReadTable): Sql[] {
  return table.key.map((column) => sql.raw(keyText(column, `t.${ident(column.name)}`)));
}

function wantedBy({ where, filterColumns, types }: ReadTable): Sql {
  return compileFilter(where, columnsAsJson(filterColumns, types))?.condition ?? sql`true`;
}

function sumOf(numbers: readonly Sql[]): Sql {
  return numbers.length === 0 ? sql`0` : sql.join(numbers, sql` + `);
}

export function tableOf({ schema, name }: ReadTable) {
  return sql.id(schema, name);
}

export function columnOf(name: string) {
  return sql`t.${sql.id(name)}`;
}
