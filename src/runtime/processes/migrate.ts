import { type ProcessContext, START_WAIT_MS } from '../context.ts';
import { migrateDatabase, openConfiguredDatabase } from '../database.ts';
import { patiently } from '../patience.ts';
import type { Settings } from '../settings.ts';

/** Brings the schema of `DATABASE_URL` up to date and returns the names of the migrations that ran. */
export async function runMigrations(settings: Settings, { log, say, signal }: ProcessContext): Promise<string[]> {
  const db = openConfiguredDatabase(settings, log);
  try {
    return await patiently({ waitMs: START_WAIT_MS, say, signal }, () => migrateDatabase(db));
  } finally {
    await db.destroy();
  }
}
