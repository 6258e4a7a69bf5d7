import { sql } from 'kysely';
import { contentColumns, type SourceState, tableOf, textColumns, whereColumns } from '../../contract/sources.ts';
import type { Db } from '../database.ts';
import type { SourceRow } from './rows.ts';
import type { ReadTable } from './table-rows.ts';

/** Whether a source still has the definition that was read. */
export async function isUnchanged(db: Db, { no, updateTime }: Pick<SourceRow, 'no' | 'updateTime'>): Promise<boolean> {
  const { rows } = await sql`
    select from reembed.sources where no = ${no} and date_trunc('milliseconds', update_time) = ${updateTime}`.execute(
    db,
  );
  return rows.length > 0;
}

/**
 * Stores a state with its reason. The time changes only with the state. A stopped source stays stopped, even if something
 * still follows it.
 */
export async function reportState(
  db: Db,
  no: number,
  { state, reason }: { state: SourceState; reason: string | null },
): Promise<void> {
  await sql`
    update reembed.sources
    set state = ${state}, reason = ${reason}, state_time = case when state = ${state} then state_time else now() end
    where no = ${no}
      and (state, reason) is distinct from (${state}, ${reason}::text)
      and state <> 'stopped'`.execute(db);
}

/** Reads the types of the columns of a source's table, and returns what is read of the table. */
export async function readTableOf(db: Db, { definition, resolved }: SourceRow): Promise<ReadTable> {
  const { rows } = await sql<{ name: string; type: string }>`
    select attname as name, format_type(atttypid, atttypmod) as type
    from pg_attribute
    where attrelid = ${resolved.table.oid}::oid and attname = any(${[...contentColumns(definition), definition.updatedAt ?? '']}::text[])`.execute(
    db,
  );
  return {
    ...tableOf(definition),
    key: resolved.key,
    types: new Map(rows.map(({ name, type }) => [name, type])),
    textColumns: textColumns(definition),
    uriColumn: definition.uriColumn ?? null,
    metadataColumns: definition.metadata,
    where: definition.where,
    filterColumns: whereColumns(definition),
  };
}

/** How far the poll of a source is. */
export interface PollState {
  /** The newest time that it has seen; null if it has seen none. */
  cursor: string | null;
  /** How often it has passed through the newest rows. */
  passes: number;
}

export async function readPoll(db: Db, no: number): Promise<PollState> {
  const { rows } = await sql<PollState>`
    select poll_cursor #>> '{}' as cursor, poll_passes as passes from reembed.sources where no = ${no}`.execute(db);
  return rows[0] ?? { cursor: null, passes: 0 };
}

export async function savePollCursor(db: Db, no: number, at: string): Promise<void> {
  await sql`
    update reembed.sources set poll_cursor = to_jsonb(${at}::text) where no = ${no}`.execute(db);
}

/** Counts a pass that has reached the newest row, of the time `at`. */
export async function endPollPass(db: Db, no: number, at: string | null): Promise<void> {
  await sql`
    update reembed.sources
    set poll_cursor = coalesce(to_jsonb(${at}::text), poll_cursor), poll_passes = poll_passes + 1
    where no = ${no}`.execute(db);
}
