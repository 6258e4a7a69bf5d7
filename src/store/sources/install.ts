import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { ReembedError } from '../../contract/errors.ts';
import { SOURCE_CLASS } from '../advisory-classes.ts';
import { type Db, transaction } from '../database.ts';
import { type Claim, requireOwnName } from '../placement/names.ts';
import { codeOf, SQLSTATE } from '../sqlstate.ts';
import type { CheckedSource } from './check.ts';
import { outboxOf } from './names.ts';
import { dropSource, restoreSource, type SourceRow, saveSource } from './rows.ts';
import { dropTriggersSql, installSql, removeSql } from './triggers.ts';

/**
 * Max time that the statements wait for the table: every later writer queues behind them. Less than the time after
 * which Postgres looks for deadlocks, so that it never ends a transaction of the user for them.
 */
const LOCK_TIMEOUT_MS = 500;
const LOCK_TRIES = 10;

/** Returns the statements that set up a source, in the database of its table. The number of a new source may differ. */
export async function planSource(db: Db, checked: CheckedSource): Promise<string[]> {
  const { existing } = checked;
  if (existing) return statementsOf(existing, checked);
  const { rows } = await sql<{ no: number }>`
    select coalesce(last_value, 0)::int + 1 as no
    from pg_sequences
    where schemaname = 'reembed' and sequencename = 'sources_no_seq'`.execute(db);
  return statementsOf({ no: rows[0]?.no ?? 1, marker: randomUUID() }, checked);
}

/**
 * Sets up a source that was checked: stores it, and makes its outbox and triggers in `database`. If that fails, a new
 * source is not kept. Errors: `InvalidInput`, `NameTaken` by another database, `ClaimNeeded`, `DatabaseUnavailable` if
 * others keep the table locked.
 */
export async function installSource(
  db: Db,
  database: Db,
  name: string,
  checked: CheckedSource,
  claim: Claim | null = null,
): Promise<SourceRow> {
  const source = await transaction(db, async (trx) => {
    await requireOwnName(trx, 'source', name, claim);
    return saveSource(trx, name, checked);
  });
  try {
    await requireOwnOutbox(database, source);
    await runStatements(database, source.no, statementsOf(source, checked));
  } catch (error) {
    if (checked.existing === undefined) await dropSource(db, source.no);
    else await restoreSource(db, checked.existing);
    throw error;
  }
  return source;
}

/**
 * Takes away all that a source has in the database of its table. Can be repeated. Error: `DatabaseUnavailable` if
 * others keep the table locked.
 */
export async function uninstallSource(database: Db, source: Pick<SourceRow, 'no' | 'marker'>): Promise<void> {
  if (!(await isOwnOutbox(database, source))) return;
  await runStatements(database, source.no, removeSql(source.no));
}

function statementsOf(
  source: Pick<SourceRow, 'no' | 'marker'>,
  { definition, resolved, hasSchema, existing }: CheckedSource,
) {
  if (definition.follow === 'poll') return hasSchema ? dropTriggersSql(source.no) : [];
  const { no, marker } = source;
  const installed = installSql({ no, marker, ...resolved }, { hasSchema });
  return existing ? [...installed, forgetDriftSql(no)] : installed;
}

/** What changed while columns were missing is synced by the sync that follows. */
const forgetDriftSql = (no: number) => `delete from ${outboxOf(no)} where kind = 'drift'`;

/**
 * Forgets that the table once lacked columns, before all of its rows are synced: the source would stop again for it.
 */
export async function forgetDrift(database: Db, { no }: Pick<SourceRow, 'no'>): Promise<void> {
  const { rows } = await sql<{ outbox: string | null }>`select to_regclass(${outboxOf(no)})::text as outbox`.execute(
    database,
  );
  if (rows[0]?.outbox) await sql.raw(forgetDriftSql(no)).execute(database);
}

/** Runs statements that lock a table of the user, in one transaction; those of one source run one after the other. */
export async function runStatements(database: Db, no: number, statements: readonly string[]): Promise<void> {
  try {
    await transaction(
      database,
      async (trx) => {
        await sql`set local lock_timeout = ${sql.lit(LOCK_TIMEOUT_MS)}`.execute(trx);
        await sql`select pg_advisory_xact_lock(${sql.lit(SOURCE_CLASS)}, ${no})`.execute(trx);
        for (const statement of statements) await sql.raw(statement).execute(trx);
      },
      { lockTries: LOCK_TRIES },
    );
  } catch (error) {
    if (codeOf(error) !== SQLSTATE.lockNotAvailable) throw error;
    const message = 'other transactions keep the table locked, so its triggers cannot be changed: try again later';
    throw new ReembedError('DatabaseUnavailable', message, { cause: error });
  }
}

/** @throws ReembedError `InvalidInput` if another installation of reembed uses the names of this source */
async function requireOwnOutbox(database: Db, source: SourceRow): Promise<void> {
  if (await isOwnOutbox(database, source)) return;
  const message = `another installation of reembed uses the table ${outboxOf(source.no)} in this database`;
  const path = source.definition.connectionEnv === undefined ? 'table' : 'connectionEnv';
  throw new ReembedError('InvalidInput', `${path}: ${message}`, { issues: [{ path, message }] });
}

async function isOwnOutbox(database: Db, { no, marker }: Pick<SourceRow, 'no' | 'marker'>): Promise<boolean> {
  const { rows } = await sql<{ own: boolean }>`
    select coalesce(obj_description(to_regclass(${outboxOf(no)}), 'pg_class') = ${`reembed ${marker}`}, true) as own`.execute(
    database,
  );
  return rows[0]?.own !== false;
}
