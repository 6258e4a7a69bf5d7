import { sql } from 'kysely';
import {
  contentColumns,
  type SourceDefinition,
  type SourceState,
  tableOf,
  textColumns,
  whereColumns,
} from '../../contract/sources.ts';
import type { Db } from '../database.ts';
import type { ResolvedSource } from './resolved.ts';
import type { ReadTable } from './table-rows.ts';

/** A source, as the one who follows it needs it. */
export interface FollowedSource {
  no: number;
  name: string;
  definition: SourceDefinition;
  resolved: ResolvedSource;
  state: SourceState;
  /** Changes with the definition. */
  changed: string;
}

/** Finds a source by its number; undefined if it was removed. */
export async function findFollowed(db: Db, no: number): Promise<FollowedSource | undefined> {
  const { rows } = await sql<FollowedSource>`
    select no, name, definition, resolved, state, update_time::text as changed
    from reembed.sources
    where no = ${no}`.execute(db);
  return rows[0];
}

/** Finds a source by its name; undefined if there is none. */
export async function findFollowedByName(db: Db, name: string): Promise<FollowedSource | undefined> {
  const { rows } = await sql<{ no: number }>`select no from reembed.sources where name = ${name}`.execute(db);
  return rows[0] && findFollowed(db, rows[0].no);
}

/** Whether a source still has the definition that was read. */
export async function isUnchanged(db: Db, { no, changed }: Pick<FollowedSource, 'no' | 'changed'>): Promise<boolean> {
  const { rows } = await sql`
    select from reembed.sources where no = ${no} and update_time::text = ${changed}`.execute(db);
  return rows.length > 0;
}

/** Stores a state with its reason; the time only changes with them. A source that was stopped stays so, whoever follows it. */
export async function setSourceState(
  db: Db,
  no: number,
  { state, reason }: { state: SourceState; reason: string | null },
): Promise<void> {
  await sql`
    update reembed.sources
    set state = ${state}, reason = ${reason}, state_time = now()
    where no = ${no}
      and (state, reason) is distinct from (${state}, ${reason}::text)
      and state <> 'stopped'`.execute(db);
}

/** Reads the types of the columns of a source's table, and returns what is read of the table. */
export async function readTableOf(db: Db, { definition, resolved }: FollowedSource): Promise<ReadTable> {
  const { rows } = await sql<{ name: string; type: string }>`
    select attname as name, format_type(atttypid, atttypmod) as type
    from pg_attribute
    where attrelid = ${resolved.table.oid}::oid and attname = any(${contentColumns(definition)}::text[])`.execute(db);
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
