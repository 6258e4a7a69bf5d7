import type { Settings } from '../../settings/settings.ts';
import { distribute } from '../../store/citus/distribute.ts';
import { migrateDatabase, openConfiguredDatabase } from '../database.ts';
import { type ProcessContext, START_WAIT_MS } from '../process-context.ts';
import { retryUntil } from '../retry-until.ts';

export interface Migrated {
  /** Names of the migrations that ran. */
  ran: string[];
  /** True if this call distributed the tables. */
  distributed: boolean;
}

/** Migrates the schema of `DATABASE_URL`, and with `toDistribute` also lays it out over the nodes of Citus. */
export async function runMigrations(
  settings: Settings,
  { log, say, signal }: ProcessContext,
  { toDistribute }: { toDistribute: boolean },
): Promise<Migrated> {
  const db = openConfiguredDatabase(settings, log);
  try {
    const ran = await retryUntil({ waitMs: START_WAIT_MS, say, signal }, () => migrateDatabase(db));
    return { ran, distributed: toDistribute && (await distribute(db)) };
  } finally {
    await db.destroy();
  }
}
