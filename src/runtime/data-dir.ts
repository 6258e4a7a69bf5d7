import { randomUUID } from 'node:crypto';
import { mkdir, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, ReembedError } from '../contract/errors.ts';
import { lockDataDir, type Release } from './servers/locks.ts';

/** Large enough to detect a full disk. */
const PROBE_BYTES = 64 * 1024;

/**
 * Creates the data directory of `dev`, checks that it is writable, and locks it. After a failure, removes the folders
 * that it created.
 * @param folder absolute path.
 * @throws ReembedError `InvalidSetting` with the folder and the reason; `DataDirInUse` with its holder.
 */
export async function openDataDir(folder: string): Promise<Release> {
  const made: string[] = [];
  try {
    await makeFolder(folder, made);
    await proveWritable(folder);
    return await lockDataDir(folder);
  } catch (error) {
    for (const each of made.reverse()) await rmdir(each).catch(() => {});
    if (error instanceof ReembedError) throw error;
    throw new ReembedError(
      'InvalidSetting',
      `--data-dir (REEMBED_DATA_DIR) must name a folder that can be made and written to; ${JSON.stringify(folder)} cannot: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/**
 * Creates a folder. Not by `mkdir` with `recursive`, which never returns if a file system such as /proc has no parent.
 */
async function makeFolder(folder: string, made: string[]): Promise<void> {
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (found?.isDirectory()) return;
  if (found) throw new Error('it is not a folder');
  const parent = path.dirname(folder);
  if (parent !== folder) await makeFolder(parent, made);
  try {
    // Only for this user: it holds the indexed content.
    await mkdir(folder, { mode: 0o700 });
    made.push(folder);
  } catch (error) {
    // Another process may have created it in the meantime.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

async function proveWritable(folder: string): Promise<void> {
  const probe = path.join(folder, `.probe-${randomUUID()}`);
  try {
    await writeFile(probe, Buffer.alloc(PROBE_BYTES));
  } finally {
    await rm(probe, { force: true });
  }
}
