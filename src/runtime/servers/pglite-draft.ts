import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { rename, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';

/** Returns the folder in which a database is set up before it is moved into place. */
export function draftOf(dataDir: string): string {
  return `${dataDir}.draft`;
}

/**
 * Sets up a database in a draft folder and renames it, so that it is either complete or missing: a partial one could
 * never be opened again. Does nothing if the database exists.
 * @throws Error if something other than a database is in its place.
 */
export async function setUpWhole(dataDir: string, setUp: (folder: string) => Promise<void>): Promise<void> {
  if (versionOf(dataDir) !== null) return;
  if (existsSync(dataDir)) {
    if (!statSync(dataDir).isDirectory()) throw new Error('it is not a folder');
    if (readdirSync(dataDir).length > 0) throw new Error('the folder holds something other than a database');
    await rmdir(dataDir);
  }
  const draft = draftOf(dataDir);
  // The folder is locked, so an existing draft was left by a killed process.
  await rm(draft, { recursive: true, force: true });
  await setUp(draft);
  await rename(draft, dataDir);
}

/** Returns the Postgres version that a database was created with; null if there is no database. */
export function versionOf(dataDir: string): string | null {
  try {
    return readFileSync(path.join(dataDir, 'PG_VERSION'), 'utf8').trim();
  } catch {
    return null;
  }
}
