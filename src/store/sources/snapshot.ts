import { sql } from 'kysely';
import { objectIdOf } from '../../contract/source-text.ts';
import type { Db, Trx } from '../database.ts';
import { codeOf } from '../sqlstate.ts';
import { outboxOf } from './names.ts';
import { hasCome, passStart } from './poll.ts';
import type { SourceRow } from './rows.ts';
import { readPoll } from './state.ts';
import { columnOf, keysAsRows, type ReadTable, readRowsByKey, type TableRow } from './table-rows.ts';

/** Rows as one instant shows them, with what the follower has not synced yet. */
export interface RowsSnapshot {
  rows: TableRow[];
  /** Keys whose rows were too many bytes for one read. */
  left: string[][];
  /** Ids of objects that the follower is going to sync to the state of their rows. */
  onTheirWay: Set<string>;
  /** Of a table without triggers: ids of objects that the next pass of the follower looks at again. */
  recent: Set<string>;
}

/**
 * Reads rows by key, and which of them have changes that were not synced. Both are of one instant: a change that is in
 * a row but not in the outbox was written to the index before.
 */
export async function readSnapshot(
  database: Db,
  { db, source, table }: { db: Db; source: SourceRow; table: ReadTable },
  keys: readonly string[][],
): Promise<RowsSnapshot> {
  if (source.definition.follow === 'poll') {
    const { rows, left } = await readRowsByKey(database, table, keys);
    return { rows, left, ...(await polledSince(database, { db, source, table }, keys)) };
  }
  return database
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (trx) => {
      const { rows, left } = await readRowsByKey(trx, table, keys);
      return { rows, left, onTheirWay: await findRecorded(trx, source, keys), recent: new Set<string>() };
    });
}

/** Whether texts are values of the columns of a key. Other errors than those of values are thrown. */
export async function isKeyOf(database: Db, table: ReadTable, key: readonly string[]): Promise<boolean> {
  const values = table.key.map(({ type }, at) => sql`${key[at] ?? null}::text::${sql.raw(type)}`);
  try {
    await sql`select ${sql.join(values)}`.execute(database);
    return true;
  } catch (error) {
    if (!codeOf(error)?.startsWith('22')) throw error;
    return false;
  }
}

/** Finds the keys in the outbox; all of them if rows are gone without their keys. None if there is no outbox. */
async function findRecorded(trx: Trx, { no }: SourceRow, keys: readonly string[][]): Promise<Set<string>> {
  const ids = keys.map(objectIdOf);
  const { rows: found } = await sql<{ exists: boolean }>`
    select to_regclass(${outboxOf(no)}) is not null as exists`.execute(trx);
  if (!found[0]?.exists) return new Set();
  const { rows } = await sql<{ key: string[] | null }>`
    select distinct key
    from ${sql.raw(outboxOf(no))}
    where kind = 'all' or key = any(${keys.map((key) => JSON.stringify(key))}::jsonb[])`.execute(trx);
  if (rows.some(({ key }) => key === null)) return new Set(ids);
  return new Set(rows.map(({ key }) => objectIdOf(key as string[])));
}

/** Finds the rows that are newer than the last one which a poll has synced, and those that a pass looks at again. */
async function polledSince(
  database: Db,
  { db, source, table }: { db: Db; source: SourceRow; table: ReadTable },
  keys: readonly string[][],
): Promise<Pick<RowsSnapshot, 'onTheirWay' | 'recent'>> {
  const name = source.definition.updatedAt as string;
  const column = { name, type: table.types.get(name) as string };
  const { cursor } = await readPoll(db, source.no);
  if (cursor === null) return { onTheirWay: new Set(), recent: new Set(keys.map(objectIdOf)) };
  const from = await passStart(database, column, cursor);
  const at = (text: string) => sql`${text}::text::${sql.raw(column.type)}`;
  const { rows } = await sql<{ place: number; isNew: boolean }>`
    select k.place::int as place, ${columnOf(name)} > ${at(cursor)} and ${hasCome(column)} as "isNew"
    from ${keysAsRows(table, keys)}
    where ${columnOf(name)} >= ${at(from)}`.execute(database);
  const idsOf = (some: typeof rows) => new Set(some.map(({ place }) => objectIdOf(keys[place - 1] as string[])));
  return { onTheirWay: idsOf(rows.filter(({ isNew }) => isNew)), recent: idsOf(rows.filter(({ isNew }) => !isNew)) };
}
