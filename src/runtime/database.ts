import type { Logger } from 'pino';
import { messageOf, ReembedError } from '../contract/errors.ts';
import {
  codeOf,
  type DatabaseObserver,
  type Db,
  isConnectionError,
  isUntrusted,
  openDatabase,
} from '../store/database.ts';
import { migrate, readSchemaFit, requireNewEnough } from '../store/migrate.ts';
import type { Settings } from './settings.ts';

/** Opens the database of `DATABASE_URL`; nothing is sent yet. A connection that breaks is logged and replaced. */
export function openConfiguredDatabase(settings: Settings, log: Logger, observer?: DatabaseObserver): Db {
  if (settings.databaseUrl === null) {
    throw new ReembedError(
      'InvalidSetting',
      'DATABASE_URL must be set to a postgres:// address (`reembed dev` alone brings a database of its own)',
    );
  }
  return openNamed(settings.databaseUrl, settings.databaseConnections, { log, observer });
}

/** Fewer connections than these are not divided. */
const LEAST_DIVIDED = 4;

/** The same for workers: half of the connections are for work in the background. */
export function openWorkerDatabases(
  settings: Settings,
  log: Logger,
  observer?: DatabaseObserver,
): { db: Db; background: Db; close(): Promise<void> } {
  const { databaseUrl, databaseConnections } = settings;
  if (databaseUrl === null || databaseConnections < LEAST_DIVIDED) {
    const db = openConfiguredDatabase(settings, log, observer); // tells what is missing
    return { db, background: db, close: () => db.destroy() };
  }
  const half = Math.floor(databaseConnections / 2);
  const db = openNamed(databaseUrl, databaseConnections - half, { log, observer });
  const background = openNamed(databaseUrl, half, { log, observer, background: true });
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
  { log, observer, background = false }: { log: Logger; observer?: DatabaseObserver; background?: boolean },
): Db {
  return openDatabase({
    url,
    maxConnections,
    background,
    observer,
    onIdleError: tellBroken(log),
  });
}

/** What is logged of a connection that broke while nothing ran on it. */
export function tellBroken(log: Logger): (error: Error) => void {
  return (error) => log.warn(`a database connection broke and will be replaced: ${error.message}`);
}

/**
 * Makes sure that the database answers and that its schema is one that this code works with: its own, or a newer one
 * that has taken nothing away that it uses.
 * @throws ReembedError `DatabaseUnavailable`; `InvalidSetting` with what to do when the schema does not fit.
 */
export async function requireMigrated(db: Db): Promise<void> {
  const fit = await readSchemaFit(db).catch((error) => {
    throw asDatabaseError(error);
  });
  if (!fit) {
    throw new ReembedError('InvalidSetting', 'the database has no tables of reembed yet: run `reembed migrate` first');
  }
  if (fit.missing.length > 0) {
    throw new ReembedError(
      'InvalidSetting',
      `the database is older than this version of reembed, it lacks ${fit.missing.join(', ')}: run \`reembed migrate\` first`,
    );
  }
  requireNewEnough(fit);
}

/** Brings the schema up to date. @throws ReembedError with what to do where that is known. */
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
      // A wrong password or name is not healed by waiting.
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

/** One of the files of `sslrootcert`, `sslcert` and `sslkey`. */
function isMissingFile(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'open';
}

/** Wrong password, unknown role, unknown database, no right to connect. */
const WRONG_LOGIN = /^(28\w{3}|3D000|42501)$/;
