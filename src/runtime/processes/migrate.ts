import type { Settings } from '../../settings/settings.ts';
import { distribute } from '../../store/citus/distribute.ts';
import { migrateDatabase, openConfiguredDatabase } from '../database.ts';
import { migrateFurther } from '../further-databases.ts';
import { type ProcessContext, START_WAIT_MS } from '../process-context.ts';
import { retryUntil } from '../retry-until.ts';

export interface Migrated {
  /** Names of the migrations that ran. */
  ran: string[];
  /** The same of each database of `REEMBED_DATABASES`, by name. */
  others: Record<string, string[]>;
  /** True if this call distributed the tables. */
  distributed: boolean;
}

/**
 * Migrates the schemas of `DATABASE_URL` and of the databases beside it. With `toDistribute`, the first is also laid out
 * over the nodes of Citus.
 */
export async function runMigrations(
  settings: Settings,
  { log, say, signal }: ProcessContext,
  { toDistribute }: { toDistribute: boolean },
): Promise<Migrated> {
  const db = openConfiguredDatabase(settings, log);
  try {
    const wait = { waitMs: START_WAIT_MS, say, signal };
    const ran = await retryUntil(wait, () => migrateDatabase(db));
    const distributed = toDistribute && (await distribute(db));
    return { ran, distributed, others: await retryUntil(wait, () => migrateFurther(settings, db, log)) };
  } finally {
    await db.destroy();
  }
}
