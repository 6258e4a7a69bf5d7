import { type Migration, Migrator, sql } from 'kysely';
import { type Db, transaction } from './database.ts';
import * as initial from './migrations/0001_initial.ts';
import * as finishedWrites from './migrations/0002_finished_writes.ts';
import * as steerResults from './migrations/0003_steer_results.ts';
import * as modelLimits from './migrations/0004_model_limits.ts';
import { closeCatalog } from './protocol/gate.ts';

/** All migrations by name, in order. */
const MIGRATIONS: Record<string, Migration> = {
  '0001_initial': initial,
  '0002_finished_writes': finishedWrites,
  '0003_steer_results': steerResults,
  '0004_model_limits': modelLimits,
};

/**
 * Brings the schema up to date and returns the names of the migrations that ran. Several processes may call this at
 * once: the migrator takes a lock.
 */
export async function migrate(db: Db): Promise<string[]> {
  // Before the migrator's own lock, in whose schema its tables are: `if not exists` alone fails when two do it at once.
  await transaction(db, async (trx) => {
    await closeCatalog(trx);
    await sql`create schema if not exists reembed`.execute(trx);
  });
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => MIGRATIONS },
    migrationTableSchema: 'reembed',
    migrationTableName: 'migrations',
    migrationLockTableName: 'migrations_lock',
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error) throw error;
  return (results ?? []).map((result) => result.migrationName);
}
