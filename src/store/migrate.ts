import { setTimeout as sleep } from 'node:timers/promises';
import { type Migration, Migrator, sql } from 'kysely';
import { ReembedError } from '../contract/errors.ts';
import { type Db, transaction } from './database.ts';
import * as initial from './migrations/0001_initial.ts';
import * as finishedWrites from './migrations/0002_finished_writes.ts';
import * as steerResults from './migrations/0003_steer_results.ts';
import * as modelLimits from './migrations/0004_model_limits.ts';
import * as admissions from './migrations/0005_admissions.ts';
import * as externalVersions from './migrations/0006_external_versions.ts';
import * as origins from './migrations/0007_origins.ts';
import * as boundAdmissions from './migrations/0008_bound_admissions.ts';
import * as evaluation from './migrations/0009_evaluation.ts';
import * as builtLocks from './migrations/0010_built_locks.ts';
import * as usage from './migrations/0011_usage.ts';
import * as rollBack from './migrations/0013_roll_back.ts';
import * as reads from './migrations/0015_reads.ts';
import * as watch from './migrations/0016_watch.ts';
import * as sampledSearches from './migrations/0017_sampled_searches.ts';
import * as fullText from './migrations/0022_full_text.ts';
import * as sources from './migrations/0023_sources.ts';
import * as searchViews from './migrations/0024_search_views.ts';
import * as objectHistory from './migrations/0025_object_history.ts';
import * as readyVectors from './migrations/0026_ready_vectors.ts';
import * as compact from './migrations/0028_compact.ts';
import * as pollPasses from './migrations/0029_poll_passes.ts';
import * as sourceFailures from './migrations/0029_source_failures.ts';
import * as vectorIndexTask from './migrations/0031_vector_index_task.ts';
import * as batchTexts from './migrations/0032_batch_texts.ts';
import * as layout from './migrations/0033_layout.ts';
import * as truncated from './migrations/0035_truncated.ts';
import * as databases from './migrations/0042_databases.ts';
import * as aliasMoves from './migrations/0045_alias_moves.ts';
import * as batchTextSizes from './migrations/0047_batch_text_sizes.ts';
import { lockNames } from './protocol/gate.ts';
import { fitOf, type SchemaFit } from './schema-fit.ts';
import { codeOf, SQLSTATE } from './sqlstate.ts';

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
  '0009_evaluation': evaluation,
  '0010_built_locks': builtLocks,
  '0011_usage': usage,
  '0013_roll_back': rollBack,
  '0015_reads': reads,
  '0016_watch': watch,
  '0017_sampled_searches': sampledSearches,
  '0022_full_text': fullText,
  '0023_sources': sources,
  '0024_search_views': searchViews,
  '0025_object_history': objectHistory,
  '0026_ready_vectors': readyVectors,
  '0028_compact': compact,
  '0029_poll_passes': pollPasses,
  '0029_source_failures': sourceFailures,
  '0031_vector_index_task': vectorIndexTask,
  '0032_batch_texts': batchTexts,
  '0033_layout': layout,
  '0035_truncated': truncated,
  '0042_databases': databases,
  '0045_alias_moves': aliasMoves,
  '0047_batch_text_sizes': batchTextSizes,
};

/**
 * Max time that a migration waits for a table before it retries: every later user of the table queues behind it,
 * including the writers of a running system.
 */
const LOCK_TIMEOUT_MS = 500;
const LOCK_TRIES = 40;
const MAX_PAUSE_MS = 10_000;
const NOT_THERE = new Set<string>([SQLSTATE.undefinedSchema, SQLSTATE.undefinedTable]);

/**
 * Migrates the schema while other processes use it, and returns the names of the migrations that ran. Concurrent calls
 * are safe, since the migrator takes a lock. A newer schema is left unchanged.
 * @throws ReembedError `InvalidSetting` if this code is too old for the schema
 */
export async function migrate(db: Db, migrations = MIGRATIONS): Promise<string[]> {
  const fit = await readSchemaFit(db, migrations);
  requireNewEnough(fit);
  if (fit && fit.newer.length > 0) return [];
  // Before the migrator's lock, whose table is in this schema; concurrent `if not exists` can fail.
  await transaction(db, async (trx) => {
    await lockNames(trx);
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
    if (codeOf(error) !== SQLSTATE.lockNotAvailable || attempt >= LOCK_TRIES) throw error;
    await sleep(Math.min(MAX_PAUSE_MS, attempt * 500));
  }
}

/** Compares the schema of the database with this code; undefined if there is no schema. */
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

/** @throws ReembedError `InvalidSetting` if a newer migration removed something that this code uses */
export function requireNewEnough(fit: SchemaFit | undefined): void {
  if (fit?.unfit === undefined) return;
  throw new ReembedError(
    'InvalidSetting',
    `the database has the migration ${fit.unfit}, which this version of reembed does not support: run a newer version`,
  );
}

/** Wraps migrations so that they do not wait long for a table. */
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
