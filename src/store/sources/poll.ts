import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../database.ts';
import { columnOf, keyTexts, pinned, type ReadTable, tableOf } from './table-rows.ts';

/** How far back each pass looks again: for transactions that commit later than the time that they wrote. */
const OVERLAP = '1 minute';

/** A row by the time of its last change, as text, and by its key. */
export interface TimedKey {
  at: string;
  key: string[];
  /** The time has not come yet: a pass must not begin there, or changes before it would not be found. */
  isAhead: boolean;
}

/** The column with the time of the last change of a row, and its type in SQL. */
export interface TimeColumn {
  name: string;
  type: string;
}

/**
 * The time now, as a column has it. One without time zone is taken to be of the zone of its database, which a default of
 * `now()` is of. If its writers are ahead of that zone, their last hours are looked at in every pass, and nothing is missed.
 */
function nowIn({ type }: TimeColumn): RawBuilder<unknown> {
  if (type.endsWith('with time zone')) return sql`now()`;
  return sql`(now() at time zone (select reset_val from pg_settings where name = 'TimeZone'))`;
}

/** Returns the condition for a time that has come. */
export function hasCome(column: TimeColumn): RawBuilder<unknown> {
  return sql`${columnOf(column.name)} <= ${nowIn(column)}`;
}

/**
 * Returns the time at which a pass through the newest rows begins: a minute before the newest time that was seen, or
 * before now if that time has not come.
 */
export async function passStart(db: Db, column: TimeColumn, newest: string): Promise<string> {
  const now = nowIn(column);
  const at = sql`${newest}::text::${sql.raw(column.type)}`;
  const { rows } = await pinned(db, (trx) =>
    sql<{ at: string }>`
      select (least(${at}, ${now}) - ${OVERLAP}::interval)::text as at`.execute(trx),
  );
  return rows[0]?.at as string;
}

/** Returns the newest time of a table that has come; null for one without such rows. */
export async function newestTime(db: Db, table: ReadTable, column: TimeColumn): Promise<string | null> {
  const { rows } = await pinned(db, (trx) =>
    sql<{ at: string | null }>`
      select max(${columnOf(column.name)})::text as at
      from ${tableOf(table)} t
      where ${hasCome(column)}`.execute(trx),
  );
  return rows[0]?.at ?? null;
}

/** Reads the next rows in the order of their times and keys: from a time on, or after a row. */
export async function readTimedKeys(
  db: Db,
  table: ReadTable,
  column: TimeColumn,
  { from, after, limit }: { from: string | null; after: TimedKey | null; limit: number },
): Promise<TimedKey[]> {
  const time = columnOf(column.name);
  const order = sql.join([time, ...table.key.map(({ name }) => columnOf(name))]);
  const at = (text: string) => sql`${text}::text::${sql.raw(column.type)}`;
  const values = after && [
    at(after.at),
    ...table.key.map(({ type }, place) => sql`${after.key[place]}::text::${sql.raw(type)}`),
  ];
  const begin = values
    ? sql`(${order}) > (${sql.join(values)})`
    : from === null
      ? sql`true`
      : sql`${time} >= ${at(from)}`;
  const { rows } = await pinned(db, (trx) =>
    sql<TimedKey>`
      select ${time}::text as at, to_json(array[${sql.join(keyTexts(table))}]) as key, not ${hasCome(column)} as "isAhead"
      from ${tableOf(table)} t
      where ${time} is not null and ${begin}
      order by ${order}
      limit ${limit}`.execute(trx),
  );
  return rows;
}
