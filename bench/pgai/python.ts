import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDirOf } from '../../src/runtime/servers/cache-dir.ts';
import { type ServerProcess, startProcess } from '../../src/runtime/servers/processes.ts';

const REQUIREMENTS = fileURLToPath(new URL('./requirements.txt', import.meta.url));

/**
 * Returns the program `pgai` in its pinned version, which is installed once into the cache folder; undefined if there is
 * no Python, or no way to PyPI. Its parser of documents, which takes gigabytes, is left out: texts need none.
 */
export async function findPgai(say: (line: string) => void): Promise<string | undefined> {
  const pins = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12);
  const home = path.join(cacheDirOf(process.env), `pgai-${pins}`);
  const [complete, unfinished] = [path.join(home, 'complete'), path.join(home, 'unfinished')];
  if (!existsSync(complete)) {
    say(`installing pgai into ${home}`);
    await rm(home, { recursive: true, force: true });
    await mkdir(path.dirname(home), { recursive: true });
    const isInstalled =
      (await runs('python3', ['-m', 'venv', home])) &&
      (await runs(path.join(home, 'bin/pip'), ['install', '-q', '--no-deps', '-r', REQUIREMENTS]));
    if (!isInstalled) return undefined;
    await mkdir(unfinished);
    await rename(unfinished, complete);
  }
  return path.join(home, 'bin/pgai');
}

async function runs(program: string, args: readonly string[]): Promise<boolean> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await Promise.race([once(child, 'exit'), once(child, 'error').then(() => [1])])) as [number | null];
  return code === 0;
}

/** Makes pgai's schema in a database, and starts its worker, which looks for work every second: its shortest interval. */
export async function startPgai(pgai: string, url: string, folder: string): Promise<ServerProcess> {
  if (!(await runs(pgai, ['install', '-d', url]))) throw new Error('pgai could not make its schema');
  return startProcess({
    title: 'pgai',
    command: pgai,
    args: ['vectorizer', 'worker', '-d', url, '--poll-interval', '1s', '--log-level', 'WARN'],
    env: { ...process.env, OPENAI_API_KEY: 'none', DD_TRACE_ENABLED: 'false' },
    logFile: path.join(folder, 'pgai.log'),
    stopSignal: 'SIGTERM',
  });
}
