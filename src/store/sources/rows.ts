import { sql } from 'kysely';
import { invalidField, ReembedError } from '../../contract/errors.ts';
import type { SourceDefinition, SourceState } from '../../contract/sources.ts';
import type { Db, Trx } from '../database.ts';
import { codeOf, SQLSTATE } from '../sqlstate.ts';
import type { ResolvedSource } from './resolved.ts';

/** A source as it is stored. */
export interface SourceRow {
  no: number;
  name: string;
  definition: SourceDefinition;
  resolved: ResolvedSource;
  marker: string;
  state: SourceState;
  reason: string | null;
  /** How often its alias was moved by hand, and after how many of these moves all rows were synced. */
  aliasMoves: number;
  syncedMoves: number;
  stateTime: Date;
  createTime: Date;
  updateTime: Date;
}

const COLUMNS = sql`no, name, definition, resolved, marker, state, reason, alias_moves as "aliasMoves",
  synced_moves as "syncedMoves", state_time as "stateTime", create_time as "createTime", update_time as "updateTime"`;

/** Returns a source; undefined if there is none of this name. */
export async function findSource(db: Db | Trx, name: string): Promise<SourceRow | undefined> {
  const { rows } = await sql<SourceRow>`select ${COLUMNS} from reembed.sources where name = ${name}`.execute(db);
  return rows[0];
}

/** Returns a source. Error: `SourceNotFound`. */
export async function getSource(db: Db | Trx, name: string): Promise<SourceRow> {
  const source = await findSource(db, name);
  if (!source) throw new ReembedError('SourceNotFound', `there is no source ${name}`);
  return source;
}

/** Lists all sources by name. */
export async function listSources(db: Db): Promise<SourceRow[]> {
  const { rows } = await sql<SourceRow>`select ${COLUMNS} from reembed.sources order by name`.execute(db);
  return rows;
}

/**
 * Stores a source, or the new definition of one; its state is then `starting`. Error: `InvalidInput` if another source
 * got the index at the same time.
 */
export async function saveSource(
  db: Db | Trx,
  name: string,
  { definition, resolved }: Pick<SourceRow, 'definition' | 'resolved'>,
): Promise<SourceRow> {
  const { rows } = await sql<SourceRow>`
    insert into reembed.sources (name, definition, index_name, resolved)
    values (${name}, ${JSON.stringify(definition)}::jsonb, ${definition.index}, ${JSON.stringify(resolved)}::jsonb)
    on conflict (name) do update
    set definition = excluded.definition, index_name = excluded.index_name, resolved = excluded.resolved,
      state = 'starting', reason = null, state_time = now(), update_time = now()
    returning ${COLUMNS}`
    .execute(db)
    .catch((error) => {
      if (codeOf(error) !== SQLSTATE.uniqueViolation) throw error;
      throw invalidField('index', `another source writes to ${definition.index}: an index follows one table`);
    });
  return rows[0] as SourceRow;
}

/** Puts a source back as it was, after its new definition could not be set up. */
export async function restoreSource(db: Db | Trx, source: SourceRow): Promise<void> {
  await sql`
    update reembed.sources
    set definition = ${JSON.stringify(source.definition)}::jsonb, resolved = ${JSON.stringify(source.resolved)}::jsonb,
      state = ${source.state}, reason = ${source.reason}, state_time = ${source.stateTime},
      update_time = ${source.updateTime}
    where no = ${source.no}`.execute(db);
}

/** Sets the state of a source, with its reason; the time is that of the change from another state. */
export async function setSourceState(
  db: Db | Trx,
  no: number,
  state: SourceState,
  reason: string | null = null,
): Promise<void> {
  await sql`
    update reembed.sources
    set state = ${state}, reason = ${reason}, state_time = case when state = ${state} then state_time else now() end
    where no = ${no} and (state, reason) is distinct from (${state}, ${reason})`.execute(db);
}

/** Records that an alias was moved to another index by hand: sources of it must sync all rows. */
export async function noteAliasMoved(trx: Trx, alias: string): Promise<void> {
  await sql`update reembed.sources set alias_moves = alias_moves + 1 where index_name = ${alias}`.execute(trx);
}

/** Records that a sync was started after the moves of the alias that were read. */
export async function noteMovesSynced(db: Db, { no, aliasMoves }: SourceRow): Promise<void> {
  await sql`update reembed.sources set synced_moves = ${aliasMoves} where no = ${no}`.execute(db);
}

/** Forgets a source. */
export async function dropSource(db: Db | Trx, no: number): Promise<void> {
  await sql`delete from reembed.sources where no = ${no}`.execute(db);
}
