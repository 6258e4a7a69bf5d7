import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { cacheDirOf } from '../../src/runtime/servers/cache-dir.ts';
import { waitForLock } from '../../src/runtime/servers/locks.ts';

const run = promisify(execFile);

/** A package that only some tests need, and that is too large for every checkout. */
export interface PinnedPackage {
  name: string;
  version: string;
  /** As in a lock file: `sha512-` and the hash of the tarball in base64. */
  integrity: string;
}

export interface FetchOptions {
  /** Default: the cache folder of {@link cacheDirOf}. */
  cacheDir?: string;
  env?: NodeJS.ProcessEnv;
  /** Prints a line when something is downloaded or waited for. Default: to stderr. */
  say?: (line: string) => void;
  /** Changes the unpacked folder before it is kept. */
  prepare?: (folder: string) => Promise<void>;
}

/**
 * Returns the folder of a package without its dependencies. Downloads it once, with npm, into the cache folder;
 * concurrent processes share one download.
 * @throws Error with what could not be fetched, and why.
 */
export async function fetchPackage(pinned: PinnedPackage, options: FetchOptions = {}): Promise<string> {
  const { env = process.env, say = (line) => void process.stderr.write(`${line}\n`) } = options;
  const cacheDir = path.resolve(options.cacheDir ?? cacheDirOf(env));
  const name = `npm-${pinned.name.replace(/^@/, '').replace('/', '-')}-${pinned.version}`;
  const home = path.join(cacheDir, name);
  if (existsSync(home)) return home;

  await mkdir(cacheDir, { recursive: true, mode: 0o755 });
  const onWait = (pid: number) => say(`waiting for process ${pid}, which is fetching ${pinned.name}`);
  const release = await waitForLock(path.join(cacheDir, '.locks', name), onWait);
  try {
    // Another process may have downloaded it in the meantime.
    if (!existsSync(home)) {
      say(`fetching ${pinned.name} ${pinned.version} from the npm registry to ${home}`);
      await fetchInto(home, pinned, { ...options, env });
    }
  } finally {
    await release();
  }
  return home;
}

/** Downloads into a draft folder and renames its content, so that `home` is either complete or missing. */
async function fetchInto(home: string, { name, version, integrity }: PinnedPackage, { env, prepare }: FetchOptions) {
  const drafts = `.${path.basename(home)}-`;
  const parent = path.dirname(home);
  // This process holds the lock, so existing drafts were left by a killed process.
  for (const left of await readdir(parent)) {
    if (left.startsWith(drafts)) await rm(path.join(parent, left), { recursive: true, force: true });
  }
  const draft = await mkdtemp(path.join(parent, drafts));
  try {
    const { stdout } = await run('npm', ['pack', '--loglevel=error', '--prefer-offline', `${name}@${version}`], {
      cwd: draft,
      env,
    });
    const tarball = path.join(draft, stdout.trim().split('\n').at(-1) as string);
    const found = `sha512-${createHash('sha512')
      .update(await readFile(tarball))
      .digest('base64')}`;
    if (found !== integrity) throw new Error(`the tarball has the hash ${found}, expected ${integrity}`);
    // Every tarball of npm has one folder, usually named `package`.
    const content = path.join(draft, 'content');
    await mkdir(content);
    await run('tar', ['-xzf', tarball, '-C', content, '--strip-components', '1', '--no-same-owner']);
    await prepare?.(content);
    await rename(content, home);
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new Error(`${name} ${version} could not be fetched from the npm registry: ${stderr?.trim() || message}`, {
      cause: error,
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
