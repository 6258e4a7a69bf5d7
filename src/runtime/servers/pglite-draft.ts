import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { rename, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';

/** Where a database is set up before it gets its place. */
export function draftOf(dataDir: string): string {
  return `${dataDir}.draft`;
}

/**
 * Sets a database up beside its folder and renames it, so that it is there whole or not at all: one whose setting up was
 * cut off could never be opened again. Nothing happens where there is a database already.
 * @throws Error when something other than a database is in its place.
 */
export async function setUpWhole(dataDir: string, setUp: (folder: string) => Promise<void>): Promise<void> {
  if (versionOf(dataDir) !== null) return;
  if (existsSync(dataDir)) {
    if (!statSync(dataDir).isDirectory()) throw new Error('it is not a folder');
    if (readdirSync(dataDir).length > 0) throw new Error('the folder holds something other than a database');
    await rmdir(dataDir);
  }
  const draft = draftOf(dataDir);
  // The folder is locked, so what lies here was left by a process that was killed.
  await rm(draft, { recursive: true, force: true });
  await setUp(draft);
  await rename(draft, dataDir);
}

/** The version of Postgres that a database was made with; null where there is no database. */
export function versionOf(dataDir: string): string | null {
  try {
    return readFileSync(path.join(dataDir, 'PG_VERSION'), 'utf8').trim();
  } catch {
    return null;
  }
}
