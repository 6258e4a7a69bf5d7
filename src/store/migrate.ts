import { setTimeout as sleep } from 'node:timers/promises';
import { type Migration, Migrator, sql } from 'kysely';
import { ReembedError } from '../contract/errors.ts';
import { codeOf, type Db, LOCK_NOT_AVAILABLE, transaction } from './database.ts';
import * as initial from './migrations/0001_initial.ts';
import * as finishedWrites from './migrations/0002_finished_writes.ts';
import * as steerResults from './migrations/0003_steer_results.ts';
import * as modelLimits from './migrations/0004_model_limits.ts';
import * as admissions from './migrations/0005_admissions.ts';
import * as externalVersions from './migrations/0006_external_versions.ts';
import * as origins from './migrations/0007_origins.ts';
import * as boundAdmissions from './migrations/0008_bound_admissions.ts';
import { closeCatalog } from './protocol/gate.ts';
import { fitOf, type SchemaFit } from './schema-fit.ts';

/** All migrations by name, in order. */
export const MIGRATIONS: Record<string, Migration> = {
  '0001_initial': initial,
  '0002_finished_writes': finishedWrites,
  '0003_steer_results': steerResults,
  '0004_model_limits': modelLimits,
  '0005_admissions': admissions,
  '0006_external_versions': externalVersions,
  '0007_origins': origins,
  '0008_bound_admissions': boundAdmissions,
};

/**
 * How long a migration waits for a table before it lets go of it: all who come after it wait behind it, the writers of
 * a running system among them.
 */
const LOCK_TIMEOUT_MS = 500;
const LOCK_TRIES = 40;
const LONGEST_PAUSE_MS = 10_000;
/** Of Postgres, for a schema and a table that do not exist. */
const NOT_THERE = new Set(['3F000', '42P01']);

/**
 * Brings the schema up to date while other processes work on it, and returns the names of the migrations that ran.
 * Several may call this at once: the migrator takes a lock. A newer schema is left as it is.
 * @throws ReembedError `InvalidSetting` when this code is too old for the schema
 */
export async function migrate(db: Db, migrations = MIGRATIONS): Promise<string[]> {
  const fit = await readSchemaFit(db, migrations);
  requireNewEnough(fit);
  if (fit && fit.newer.length > 0) return [];
  // Before the migrator's own lock, in whose schema its tables are: `if not exists` alone fails when two do it at once.
  await transaction(db, async (trx) => {
    await closeCatalog(trx);
    await sql`create schema if not exists reembed`.execute(trx);
  });
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => gentle(migrations) },
    migrationTableSchema: 'reembed',
    migrationTableName: 'migrations',
    migrationLockTableName: 'migrations_lock',
  });
  for (let attempt = 1; ; attempt++) {
    const { error, results } = await migrator.migrateToLatest();
    if (!error) return (results ?? []).map((result) => result.migrationName);
    if (codeOf(error) !== LOCK_NOT_AVAILABLE || attempt >= LOCK_TRIES) throw error;
    await sleep(Math.min(LONGEST_PAUSE_MS, attempt * 500));
  }
}

/** How the schema of the database fits this code; nothing if it has none. */
export async function readSchemaFit(db: Db, migrations = MIGRATIONS): Promise<SchemaFit | undefined> {
  try {
    const { rows } = await sql<{ name: string }>`select name from reembed.migrations order by name`.execute(db);
    return fitOf(
      rows.map(({ name }) => name),
      Object.keys(migrations),
    );
  } catch (error) {
    if (NOT_THERE.has(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** @throws ReembedError `InvalidSetting` when a migration of newer code has taken away what this code uses */
export function requireNewEnough(fit: SchemaFit | undefined): void {
  if (fit?.unfit === undefined) return;
  throw new ReembedError(
    'InvalidSetting',
    `the database has the migration ${fit.unfit}, with which this version of reembed does not work: run a newer one`,
  );
}

/** Migrations that do not wait for long at a table. */
function gentle(migrations: Record<string, Migration>): Record<string, Migration> {
  return Object.fromEntries(
    Object.entries(migrations).map(([name, { up }]) => [
      name,
      {
        up: async (db) => {
          await sql`set local statement_timeout = 0`.execute(db);
          await sql`set local lock_timeout = ${sql.lit(LOCK_TIMEOUT_MS)}`.execute(db);
          await up(db);
        },
      },
    ]),
  );
}
