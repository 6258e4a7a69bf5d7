import { sql } from 'kysely';
import { invalidField } from '../../contract/errors.ts';
import { objectIdOf } from '../../contract/source-text.ts';
import { TRANSACTION_TOKEN } from '../../contract/write-token.ts';
import { bigintArray, textArray } from '../binary.ts';
import type { Db } from '../database.ts';
import { codeOf } from '../sqlstate.ts';
import type { Change } from './changes.ts';
import { functionOf, outboxOf } from './names.ts';

/** Tells the tokens of this database from those of others: the function has another number there. */
const MARK = "left(md5(current_database() || to_regprocedure('reembed.write_token()')::oid::text), 8)";

/**
 * Returns the statement that makes the function with the token of a transaction, unless another source has made it. It
 * gives the transaction its number, which outboxes record with each change.
 */
export function writeTokenSql(): string {
  return [
    'do $reembed$',
    'begin',
    "  if to_regprocedure('reembed.write_token()') is null then",
    '    create function reembed.write_token() returns text',
    '    language sql',
    '    volatile',
    '    set search_path = pg_catalog, pg_temp',
    '    as $token$',
    `      select '${TRANSACTION_TOKEN}' || pg_current_xact_id() || '~' || ${MARK}`,
    '    $token$;',
    '  end if;',
    // Another source is set up at the same time.
    'exception when duplicate_function or unique_violation then',
    '  null;',
    'end',
    '$reembed$',
  ].join('\n');
}

/** Returns the statement that removes the function with the last outbox, if this role may and nothing uses it. */
export function dropWriteTokenSql(): string {
  return [
    'do $reembed$',
    'begin',
    '  if not exists (',
    '    select from pg_class',
    "    where relnamespace = to_regnamespace('reembed') and relname like 'source\\_changes\\_%' and relkind = 'r'",
    '  ) then',
    '    drop function if exists reembed.write_token();',
    '  end if;',
    'exception when insufficient_privilege or dependent_objects_still_exist then',
    '  null;',
    'end',
    '$reembed$',
  ].join('\n');
}

/** What the database of a source knows of a transaction. */
export interface TransactionFacts {
  /** False: the token is of another database. */
  isOwn: boolean;
  /** Null: it has ended so long ago that the database has forgotten how. */
  status: 'in progress' | 'committed' | 'aborted' | null;
  /** Changes of it have not been synced. */
  hasChanges: boolean;
  /** The source has its triggers and its outbox, so that nothing of it is lost. */
  isRecorded: boolean;
}

/** Reads what became of a transaction. Error: `InvalidInput` for one that has not begun. */
export async function readTransaction(
  database: Db,
  { sourceNo, xid, mark, field }: { sourceNo: number; xid: string; mark: string; field: string },
): Promise<TransactionFacts> {
  const { rows } = await sql<{ mark: string | null; isRecorded: boolean }>`
    select ${sql.raw(MARK)} as mark,
      to_regclass(${outboxOf(sourceNo)}) is not null
        and to_regproc(${functionOf(sourceNo, 'statement')}) is not null as "isRecorded"`.execute(database);
  const { isRecorded = false } = rows[0] ?? {};
  if (rows[0]?.mark !== mark) return { isOwn: false, status: null, hasChanges: false, isRecorded };
  // Before the outbox is read: what it has committed by then is there.
  const status = await readStatus(database, xid, field);
  return { isOwn: true, status, isRecorded, hasChanges: isRecorded && (await hasChanges(database, sourceNo, xid)) };
}

async function readStatus(database: Db, xid: string, field: string): Promise<TransactionFacts['status']> {
  try {
    const { rows } = await sql<{ status: TransactionFacts['status'] }>`
      select pg_xact_status(${xid}::xid8) as status`.execute(database);
    return rows[0]?.status ?? null;
  } catch (error) {
    if (!codeOf(error)?.startsWith('22')) throw error;
    throw invalidField(field, 'must be the token of a transaction that has begun in the database of the table');
  }
}

async function hasChanges(database: Db, sourceNo: number, xid: string): Promise<boolean> {
  const { rows } = await sql`
    select from ${sql.raw(outboxOf(sourceNo))} where xid = ${xid}::xid8 limit 1`.execute(database);
  return rows.length > 0;
}

/** Remembers for a day which transactions changed those of these rows that are on the failed list of a task. */
export async function noteFailedChanges(
  db: Db,
  { sourceNo, taskId }: { sourceNo: number; taskId: string },
  changes: readonly Extract<Change, { kind: 'row' }>[],
): Promise<void> {
  const pairs = changes.flatMap(({ key, xids }) => xids.map((xid) => ({ id: objectIdOf(key), xid })));
  const { rows } = await sql`
    insert into reembed.source_failures (source_no, xid, object_id)
    select ${sourceNo}::int, changed.xid, changed.object_id
    from unnest(
      ${bigintArray(pairs.map(({ xid }) => xid))}::bigint[],
      ${textArray(pairs.map(({ id }) => id))}::text[]
    ) as changed (xid, object_id)
    where exists (select from reembed.failed_items f where f.task_id = ${taskId} and f.object_id = changed.object_id)
    on conflict do nothing
    returning xid`.execute(db);
  if (rows.length === 0) return;
  await sql`
    delete from reembed.source_failures
    where source_no = ${sourceNo} and fail_time < now() - interval '1 day'`.execute(db);
}

/** Counts the rows that a transaction changed and that are still on the failed list of a task. */
export async function countFailedChanges(
  db: Db,
  { sourceNo, taskId, xid }: { sourceNo: number; taskId: string; xid: string },
): Promise<number> {
  const { rows } = await sql<{ failed: number }>`
    select count(*)::int as failed
    from reembed.source_failures s
    join reembed.failed_items f on f.task_id = ${taskId} and f.object_id = s.object_id
    where s.source_no = ${sourceNo} and s.xid = ${xid}::bigint`.execute(db);
  return rows[0]?.failed ?? 0;
}
