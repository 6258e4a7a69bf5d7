import { sql } from 'kysely';
import type { Db } from '../database.ts';
import { columnOf, keyTexts, pinned, type ReadTable, tableOf } from './table-rows.ts';

/** How far back each pass looks again: for transactions that commit later than the time that they wrote. */
const OVERLAP = '1 minute';

/** A row by the time of its last change, as text, and by its key. */
export interface TimedKey {
  at: string;
  key: string[];
}

/** The column with the time of the last change of a row, and its type in SQL. */
export interface TimeColumn {
  name: string;
  type: string;
}

/** Returns the time at which a pass through the newest rows begins: a minute before the newest time that was seen. */
export async function passStart(db: Db, { type }: TimeColumn, newest: string): Promise<string> {
  const { rows } = await pinned(db, (trx) =>
    sql<{ at: string }>`select (${newest}::text::${sql.raw(type)} - ${OVERLAP}::interval)::text as at`.execute(trx),
  );
  return rows[0]?.at as string;
}

/** Returns the newest time of a table; null for one without rows. */
export async function newestTime(db: Db, table: ReadTable, { name }: TimeColumn): Promise<string | null> {
  const { rows } = await pinned(db, (trx) =>
    sql<{ at: string | null }>`select max(${columnOf(name)})::text as at from ${tableOf(table)} t`.execute(trx),
  );
  return rows[0]?.at ?? null;
}

/** Reads the next rows in the order of their times and keys: from a time on, or after a row. */
export async function readTimedKeys(
  db: Db,
  table: ReadTable,
  { name, type }: TimeColumn,
  { from, after, limit }: { from: string | null; after: TimedKey | null; limit: number },
): Promise<TimedKey[]> {
  const time = columnOf(name);
  const order = sql.join([time, ...table.key.map((column) => columnOf(column.name))]);
  const at = (text: string) => sql`${text}::text::${sql.raw(type)}`;
  const values = after && [
    at(after.at),
    ...table.key.map((column, place) => sql`${after.key[place]}::text::${sql.raw(column.type)}`),
  ];
  const begin = values
    ? sql`(${order}) > (${sql.join(values)})`
    : from === null
      ? sql`true`
      : sql`${time} >= ${at(from)}`;
  const { rows } = await pinned(db, (trx) =>
    sql<TimedKey>`
      select ${time}::text as at, array[${sql.join(keyTexts(table))}] as key
      from ${tableOf(table)} t
      where ${time} is not null and ${begin}
      order by ${order}
      limit ${limit}`.execute(trx),
  );
  return rows;
}
