import { MAIN_DATABASE } from '../contract/databases.ts';
import { ReembedError } from '../contract/errors.ts';
import { given } from './read.ts';
import type { Settings } from './settings.ts';

/**
 * Returns the addresses of the databases beside the main one, by name.
 * @throws ReembedError `InvalidSetting` if a variable is not set to an address, or there is no main database to add to
 */
export function databaseUrls({ databases, databaseUrl, env }: Settings): Map<string, string> {
  if (databases.length > 0 && databaseUrl === null) {
    throw new ReembedError(
      'InvalidSetting',
      'DATABASE_URL must be set to a postgres:// address because REEMBED_DATABASES is set: the embedded database has no others beside it',
    );
  }
  return new Map(
    databases.map(({ name, variable }) => {
      const url = given(env, variable);
      if (url !== undefined && /^postgres(ql)?:\/\/./.test(url)) return [name, url];
      throw new ReembedError(
        'InvalidSetting',
        `${variable} must be set to a postgres:// address: REEMBED_DATABASES names it for the database ${name}`,
      );
    }),
  );
}

/**
 * Returns the names of the databases that a worker serves.
 * @throws ReembedError `InvalidSetting` for one that is not known
 */
export function servedDatabases({ databases, workerDatabases }: Settings): string[] {
  const known = [MAIN_DATABASE, ...databases.map(({ name }) => name)];
  if (workerDatabases.length === 0) return known;
  const unknown = workerDatabases.filter((name) => !known.includes(name));
  if (unknown.length === 0) return [...new Set(workerDatabases)];
  throw new ReembedError(
    'InvalidSetting',
    `REEMBED_WORKER_DATABASES names ${unknown.join(', ')}, but must be names of known databases: ${known.join(', ')}`,
  );
}
