import { sql } from 'kysely';
import pLimit from 'p-limit';
import { messageOf } from '../../contract/errors.ts';
import { followerIdOf } from '../../contract/names.ts';
import type { Db } from '../database.ts';
import { readBacklog } from '../sources/backlog.ts';
import type { SourceDatabases } from '../sources/databases.ts';
import { readDrift } from '../sources/drift.ts';
import { listSources, type SourceRow } from '../sources/rows.ts';
import { countFailed } from '../staging.ts';
import { within } from '../within.ts';

/** A database that does not answer must hold up neither the doctor nor the look at other sources. */
const LOOK_MS = 5_000;
const AT_ONCE = 8;
/** Min. age of a state that should pass, or of a waiting change, that is reported. */
const OLD_SECONDS = 300;

/** A source, and what the database of its table says about it. */
export interface ExaminedSource {
  source: SourceRow;
  /** Rows that could not be synced. */
  failed: number;
  table: TableLook | { unreachable: string };
}

interface TableLook {
  /** Why its changes cannot be followed. */
  problem: string | undefined;
  /** Age of the oldest change that is not in the index. */
  behindSeconds: number | null;
  changes: number;
  /** False if the function that returns the tokens of transactions is missing. */
  hasToken: boolean;
  /** False if a poll has to read the whole table. */
  hasTimeIndex: boolean;
}

/** Looks at all sources and at their tables. */
export async function examineSources(db: Db, databases: SourceDatabases): Promise<ExaminedSource[]> {
  const limit = pLimit(AT_ONCE);
  const examine = async (source: SourceRow): Promise<ExaminedSource> => {
    const failed = await countFailed(db, followerIdOf(source.name));
    const look = async () => lookAtTable(databases.of(source.definition.connectionEnv), source);
    const table = await within(LOOK_MS, look).catch((error) => ({ unreachable: messageOf(error) }));
    return { source, failed, table };
  };
  return Promise.all((await listSources(db)).map((source) => limit(() => examine(source))));
}

async function lookAtTable(database: Db, source: SourceRow): Promise<TableLook> {
  const drift = await readDrift(database, source);
  const look = { problem: undefined, behindSeconds: null, changes: 0, hasToken: true, hasTimeIndex: true };
  if (drift.kind === 'stopped') return { ...look, problem: drift.reason };
  if (source.definition.follow === 'poll') return { ...look, hasTimeIndex: await hasTimeIndex(database, source) };
  const { changes, seconds } = await readBacklog(database, source);
  const { rows } = await sql<{ has: boolean }>`
    select to_regprocedure('reembed.write_token()') is not null as has`.execute(database);
  return { ...look, behindSeconds: seconds, changes, hasToken: rows[0]?.has === true };
}

async function hasTimeIndex(database: Db, { resolved, definition }: SourceRow): Promise<boolean> {
  const { rows } = await sql`
    select
    from pg_index i
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    where i.indrelid = ${resolved.table.oid}::oid and a.attname = ${definition.updatedAt ?? null}
      and i.indisvalid and i.indpred is null
    limit 1`.execute(database);
  return rows.length > 0;
}

type Look = (source: ExaminedSource) => string | null | undefined | false;

/** Checks of sources; each returns one text for each source in which it found something. */
const checks = {
  sourceStopped: ({ source: { state, reason } }) => state === 'stopped' && reason,
  sourceWaiting: ({ source: { state, reason, stateTime } }) =>
    (state === 'waiting' || state === 'starting') &&
    Date.now() - stateTime.getTime() > OLD_SECONDS * 1_000 &&
    `${state} since ${stateTime.toISOString()}${reason === null ? '' : `: ${reason}`}`,
  sourceUnreachable: ({ table }) => 'unreachable' in table && table.unreachable,
  // A source that has stopped says so itself.
  sourceBroken: ({ source, table }) => source.state !== 'stopped' && 'problem' in table && table.problem,
  sourceBehind: ({ table }) =>
    'behindSeconds' in table &&
    (table.behindSeconds ?? 0) > OLD_SECONDS &&
    `${table.changes} changes are not in the index, the oldest since ${Math.round(table.behindSeconds ?? 0)} s`,
  sourceFailing: ({ source, failed }) =>
    failed > 0 && `${failed} rows are on the failed list of ${followerIdOf(source.name)}`,
  sourceSlow: ({ source, table }) =>
    'hasTimeIndex' in table &&
    !table.hasTimeIndex &&
    `the column ${source.definition.updatedAt} has no index that begins with it`,
  sourceTokenMissing: ({ table }) => 'hasToken' in table && !table.hasToken && 'reembed.write_token() is missing',
} satisfies Record<string, Look>;

/** Returns what a check finds in sources that were examined. */
export function sourceFindings(check: keyof typeof checks, sources: readonly ExaminedSource[]): string[] {
  return sources.flatMap((examined) => {
    const found = checks[check](examined);
    return found ? [`the source ${examined.source.name}: ${found}`] : [];
  });
}
