import { homedir } from 'node:os';
import path from 'node:path';

/**
 * The folder where fetched servers are kept. As root it is one that every user may read, because Postgres refuses to
 * run as root and its user could not reach a file under root's home.
 */
export function cacheDirOf(env: NodeJS.ProcessEnv): string {
  if (env.REEMBED_CACHE_DIR) return path.resolve(env.REEMBED_CACHE_DIR);
  if (process.getuid?.() === 0) return '/var/cache/reembed';
  if (env.XDG_CACHE_HOME) return path.resolve(env.XDG_CACHE_HOME, 'reembed');
  const home = env.HOME ?? homedir();
  return process.platform === 'darwin' ? path.join(home, 'Library/Caches/reembed') : path.join(home, '.cache/reembed');
}
