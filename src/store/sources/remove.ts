import { messageOf, ReembedError } from '../../contract/errors.ts';
import type { Db } from '../database.ts';
import { isConnectionError, isLoginRefused } from '../sqlstate.ts';
import type { SourceDatabases } from './databases.ts';
import { uninstallSource } from './install.ts';
import { dropSource, type SourceRow } from './rows.ts';
import { removeSql } from './triggers.ts';

/**
 * Takes a source away, with all that it has in the database of its table. With `force` it is forgotten even if that
 * database does not answer; then the statements that remain to be run there are returned. Error: `DatabaseUnavailable`.
 */
export async function removeSource(
  db: Db,
  source: SourceRow,
  { sourceDatabases, force }: { sourceDatabases: SourceDatabases; force: boolean },
): Promise<string[]> {
  const { connectionEnv } = source.definition;
  try {
    await uninstallSource(sourceDatabases.of(connectionEnv), source);
  } catch (error) {
    if (connectionEnv === undefined || !isAway(error)) throw error;
    if (!force) {
      const message = `the database of ${connectionEnv} does not answer (${messageOf(error)}): try again, or use force to forget the source`;
      throw new ReembedError('DatabaseUnavailable', message, { cause: error });
    }
    await dropSource(db, source.no);
    return removeSql(source.no);
  }
  await dropSource(db, source.no);
  return [];
}

/** Whether a database cannot be reached, or not any more under the name of its variable. */
function isAway(error: unknown): boolean {
  return (
    isConnectionError(error) ||
    isLoginRefused(error) ||
    (error instanceof ReembedError && error.type === 'InvalidInput')
  );
}
