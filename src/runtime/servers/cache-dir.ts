import { homedir } from 'node:os';
import path from 'node:path';

/**
 * Returns the folder for downloaded servers. For root, every user can read it, because Postgres refuses to run as root
 * and its user cannot reach files in root's home.
 */
export function cacheDirOf(env: NodeJS.ProcessEnv): string {
  if (env.REEMBED_CACHE_DIR) return path.resolve(env.REEMBED_CACHE_DIR);
  if (process.getuid?.() === 0) return '/var/cache/reembed';
  if (env.XDG_CACHE_HOME) return path.resolve(env.XDG_CACHE_HOME, 'reembed');
  const home = env.HOME ?? homedir();
  return process.platform === 'darwin' ? path.join(home, 'Library/Caches/reembed') : path.join(home, '.cache/reembed');
}
