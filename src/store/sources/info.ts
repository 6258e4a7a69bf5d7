import type { SourceInfo } from '../../contract/sources.ts';
import type { Db } from '../database.ts';
import { within } from '../within.ts';
import { readBacklog } from './backlog.ts';
import type { SourceDatabases } from './databases.ts';
import { listSources, type SourceRow } from './rows.ts';

/** A database that is away must not hold up the list of all sources. */
const BACKLOG_MS = 3_000;

/** Returns what users see of a source, with its backlog if that can be read soon. */
export async function readSourceInfo(source: SourceRow, databases: SourceDatabases): Promise<SourceInfo> {
  const { name, definition, state, reason, stateTime, resolved, createTime, updateTime } = source;
  return {
    name,
    definition,
    state,
    reason,
    stateTime: stateTime.toISOString(),
    key: resolved.key.map((column) => column.name),
    backlog: definition.follow === 'poll' ? null : await readBacklogInTime(source, databases),
    createTime: createTime.toISOString(),
    updateTime: updateTime.toISOString(),
  };
}

async function readBacklogInTime(source: SourceRow, databases: SourceDatabases): Promise<SourceInfo['backlog']> {
  const read = async () => readBacklog(databases.of(source.definition.connectionEnv), source);
  return within(BACKLOG_MS, read).catch(() => null);
}

/** Max. sources that metrics show. */
const MAX_SHOWN = 100;

/** Reads the state and the backlog of the first hundred sources. */
export async function readSourceStates(db: Db, databases: SourceDatabases): Promise<SourceInfo[]> {
  const sources = await listSources(db);
  return Promise.all(sources.slice(0, MAX_SHOWN).map((source) => readSourceInfo(source, databases)));
}
