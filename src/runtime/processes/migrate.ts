import type { Settings } from '../../settings/settings.ts';
import { migrateDatabase, openConfiguredDatabase } from '../database.ts';
import { type ProcessContext, START_WAIT_MS } from '../process-context.ts';
import { retryUntil } from '../retry-until.ts';

/** Migrates the schema of `DATABASE_URL` and returns the names of the migrations that ran. */
export async function runMigrations(settings: Settings, { log, say, signal }: ProcessContext): Promise<string[]> {
  const db = openConfiguredDatabase(settings, log);
  try {
    return await retryUntil({ waitMs: START_WAIT_MS, say, signal }, () => migrateDatabase(db));
  } finally {
    await db.destroy();
  }
}
