import type { Logger } from 'pino';
import { messageOf, ReembedError } from '../contract/errors.ts';
import type { Settings } from '../settings/settings.ts';
import { requireFitLayout } from '../store/citus/distribute.ts';
import { type DatabaseObserver, type DatabaseOptions, type Db, openDatabase } from '../store/database.ts';
import { migrate, readSchemaFit, requireNewEnough } from '../store/migrate.ts';
import { codeOf, isConnectionError, isUntrusted } from '../store/sqlstate.ts';

/** Opens the database of `DATABASE_URL` without connecting yet. A broken connection is logged and replaced. */
export function openConfiguredDatabase(settings: Settings, log: Logger, observer?: DatabaseObserver): Db {
  const { databaseConnections, objectHistory: history } = settings;
  return openNamed(requireUrl(settings), databaseConnections, { log, observer, history });
}

function requireUrl({ databaseUrl }: Settings): string {
  if (databaseUrl !== null) return databaseUrl;
  throw new ReembedError(
    'InvalidSetting',
    'DATABASE_URL must be set to a postgres:// address (only `reembed dev` has a built-in database)',
  );
}

/** Min. number of connections to divide them. */
const MIN_DIVIDED = 4;

/** Connections of an API for plans. */
export const PLAN_CONNECTIONS = 2;

export interface DividedDatabases {
  db: Db;
  background: Db;
  close(): Promise<void>;
}

/** Opens the databases of an API: a few of the connections are for plans. */
export function openApiDatabases(settings: Settings, log: Logger, observer?: DatabaseObserver): DividedDatabases {
  return openMain(settings, PLAN_CONNECTIONS, log, observer);
}

/** Opens the databases of a worker: half of the connections are for background work. */
export function openWorkerDatabases(settings: Settings, log: Logger, observer?: DatabaseObserver): DividedDatabases {
  return openMain(settings, backgroundConnections(settings), log, observer);
}

/** Returns how many of the connections of a worker are for background work. */
export function backgroundConnections({ databaseConnections }: Settings): number {
  return Math.floor(databaseConnections / 2);
}

function openMain(settings: Settings, forBackground: number, log: Logger, observer?: DatabaseObserver) {
  return openDivided(settings, requireUrl(settings), { forBackground, log, observer });
}

/** Opens a database with pools for live work and for background work; they are one if there are few connections. */
export function openDivided(
  { databaseConnections, objectHistory: history }: Settings,
  url: string,
  { forBackground, log, observer }: { forBackground: number; log: Logger; observer?: DatabaseObserver | undefined },
): DividedDatabases {
  if (databaseConnections < MIN_DIVIDED || forBackground === 0) {
    const db = openNamed(url, databaseConnections, { log, observer, history });
    return { db, background: db, close: () => db.destroy() };
  }
  const db = openNamed(url, databaseConnections - forBackground, { log, observer, history });
  const background = openNamed(url, forBackground, { log, observer, history, background: true });
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
export async function requireMigrated(db: Db, variable = 'DATABASE_URL'): Promise<void> {
  const fit = await readSchemaFit(db).catch((error) => {
    throw asDatabaseError(error, variable);
  });
  if (!fit) {
    throw new ReembedError(
      'InvalidSetting',
      `the database of ${variable} has no reembed tables yet: run \`reembed migrate\` first`,
    );
  }
  if (fit.missing.length > 0) {
    throw new ReembedError(
      'InvalidSetting',
      `the schema of the database of ${variable} is older than this version of reembed, it lacks ${fit.missing.join(', ')}: run \`reembed migrate\` first`,
    );
  }
  requireNewEnough(fit);
  await requireFitLayout(db);
}

/** Migrates the schema. @throws ReembedError with what to do, if that is known. */
export async function migrateDatabase(db: Db, variable = 'DATABASE_URL'): Promise<string[]> {
  try {
    return await migrate(db);
  } catch (error) {
    throw asDatabaseError(error, variable);
  }
}

function asDatabaseError(error: unknown, variable: string): unknown {
  if (isUntrusted(error)) {
    return new ReembedError(
      'DatabaseUnavailable',
      `the certificate of the database of ${variable} is not accepted: ${messageOf(error)} (sslrootcert names the file of the authority that is trusted)`,
      { cause: error, reason: 'refused' },
    );
  }
  if (isMissingFile(error)) {
    return new ReembedError(
      'DatabaseUnavailable',
      `a file that ${variable} names cannot be read: ${messageOf(error)}`,
      {
        cause: error,
        reason: 'refused',
      },
    );
  }
  if (isConnectionError(error) || WRONG_LOGIN.test(codeOf(error) ?? '')) {
    const words = messageOf(error) || codeOf(error);
    return new ReembedError('DatabaseUnavailable', `the database of ${variable} does not answer: ${words}`, {
      cause: error,
      // Waiting does not help against a wrong password or name.
      reason: isConnectionError(error) ? undefined : 'refused',
    });
  }
  if (error instanceof Error && /extension "vector"/.test(error.message)) {
    return new ReembedError(
      'DatabaseUnavailable',
      `the Postgres of ${variable} has no usable pgvector (${error.message}): install it (https://github.com/pgvector/pgvector)`,
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
