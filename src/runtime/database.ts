import type { Logger } from 'pino';
import { messageOf, ReembedError } from '../contract/errors.ts';
import type { Settings } from '../settings/settings.ts';
import { requireFitLayout } from '../store/citus/distribute.ts';
import { type DatabaseObserver, type DatabaseOptions, type Db, openDatabase } from '../store/database.ts';
import { migrate, readSchemaFit, requireNewEnough } from '../store/migrate.ts';
import { codeOf, isConnectionError, isUntrusted } from '../store/sqlstate.ts';

/** Opens the database of `DATABASE_URL` without connecting yet. A broken connection is logged and replaced. */
export function openConfiguredDatabase(settings: Settings, log: Logger, observer?: DatabaseObserver): Db {
  if (settings.databaseUrl === null) {
    throw new ReembedError(
      'InvalidSetting',
      'DATABASE_URL must be set to a postgres:// address (only `reembed dev` has a built-in database)',
    );
  }
  const { databaseConnections, objectHistory: history } = settings;
  return openNamed(settings.databaseUrl, databaseConnections, { log, observer, history });
}

/** Min. number of connections to divide them. */
const MIN_DIVIDED = 4;

/** Connections of an API for plans. */
const PLAN_CONNECTIONS = 2;

export interface DividedDatabases {
  db: Db;
  background: Db;
  close(): Promise<void>;
}

/** Opens the databases of an API: a few of the connections are for plans. */
export function openApiDatabases(settings: Settings, log: Logger, observer?: DatabaseObserver): DividedDatabases {
  return openDivided(settings, PLAN_CONNECTIONS, log, observer);
}

/** Opens the databases of a worker: half of the connections are for background work. */
export function openWorkerDatabases(settings: Settings, log: Logger, observer?: DatabaseObserver): DividedDatabases {
  return openDivided(settings, Math.floor(settings.databaseConnections / 2), log, observer);
}

function openDivided(
  settings: Settings,
  forBackground: number,
  log: Logger,
  observer?: DatabaseObserver,
): DividedDatabases {
  const { databaseUrl, databaseConnections, objectHistory: history } = settings;
  if (databaseUrl === null || databaseConnections < MIN_DIVIDED) {
    const db = openConfiguredDatabase(settings, log, observer); // reports a missing DATABASE_URL
    return { db, background: db, close: () => db.destroy() };
  }
  const db = openNamed(databaseUrl, databaseConnections - forBackground, { log, observer, history });
  const background = openNamed(databaseUrl, forBackground, { log, observer, history, background: true });
  return {
    db,
    background,
    async close() {
      await Promise.all([db.destroy(), background.destroy()]);
    },
  };
}

function openNamed(
  url: string,
  maxConnections: number,
  { log, ...options }: { log: Logger } & Pick<DatabaseOptions, 'observer' | 'history' | 'background'>,
): Db {
  return openDatabase({
    url,
    maxConnections,
    ...options,
    onIdleError: tellBroken(log),
  });
}

/** Returns a listener that logs the loss of an idle connection. */
export function tellBroken(log: Logger): (error: Error) => void {
  return (error) => log.warn(`an idle database connection was lost and will be replaced: ${error.message}`);
}

/**
 * Checks that the database answers and that its schema is compatible with this code: its own schema, or a newer one
 * that still has everything this code uses.
 * If it is distributed, also checks that no write can be lost: see `requireFitLayout`.
 * @throws ReembedError `DatabaseUnavailable`; `InvalidSetting` with what to do if the schema is incompatible.
 */
export async function requireMigrated(db: Db): Promise<void> {
  const fit = await readSchemaFit(db).catch((error) => {
    throw asDatabaseError(error);
  });
  if (!fit) {
    throw new ReembedError('InvalidSetting', 'the database has no reembed tables yet: run `reembed migrate` first');
  }
  if (fit.missing.length > 0) {
    throw new ReembedError(
      'InvalidSetting',
      `the database schema is older than this version of reembed, it lacks ${fit.missing.join(', ')}: run \`reembed migrate\` first`,
    );
  }
  requireNewEnough(fit);
  await requireFitLayout(db);
}

/** Migrates the schema. @throws ReembedError with what to do, if that is known. */
export async function migrateDatabase(db: Db): Promise<string[]> {
  try {
    return await migrate(db);
  } catch (error) {
    throw asDatabaseError(error);
  }
}

function asDatabaseError(error: unknown): unknown {
  if (isUntrusted(error)) {
    return new ReembedError(
      'DatabaseUnavailable',
      `the certificate of the database of DATABASE_URL is not accepted: ${messageOf(error)} (sslrootcert names the file of the authority that is trusted)`,
      { cause: error, reason: 'refused' },
    );
  }
  if (isMissingFile(error)) {
    return new ReembedError(
      'DatabaseUnavailable',
      `a file that DATABASE_URL names cannot be read: ${messageOf(error)}`,
      {
        cause: error,
        reason: 'refused',
      },
    );
  }
  if (isConnectionError(error) || WRONG_LOGIN.test(codeOf(error) ?? '')) {
    const words = messageOf(error) || codeOf(error);
    return new ReembedError('DatabaseUnavailable', `the database of DATABASE_URL does not answer: ${words}`, {
      cause: error,
      // Waiting does not help against a wrong password or name.
      reason: isConnectionError(error) ? undefined : 'refused',
    });
  }
  if (error instanceof Error && /extension "vector"/.test(error.message)) {
    return new ReembedError(
      'DatabaseUnavailable',
      `the Postgres of DATABASE_URL has no usable pgvector (${error.message}): install it (https://github.com/pgvector/pgvector)`,
      { cause: error, reason: 'pgvector' },
    );
  }
  return error;
}

/** Returns true if a file of `sslrootcert`, `sslcert` or `sslkey` could not be opened. */
function isMissingFile(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'open';
}

/** SQLSTATEs: wrong password, unknown role, unknown database, no permission to connect. */
const WRONG_LOGIN = /^(28\w{3}|3D000|42501)$/;
