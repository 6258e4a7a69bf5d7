/**
 * Fuzzes every route of the API: `npm run fuzz -- [--seconds 120] [--seed 1] [--only odd|schemathesis]`. The first
 * third of the time goes to the examples of the OpenAPI document, each with one odd thing in it (JSON that is hard to
 * read, invalid UTF-8, NUL, numbers that no double holds). Then schemathesis generates valid and invalid requests from
 * the document and checks the responses against it; it is installed once, into the cache folder. Starts `reembed dev`
 * on free ports and an empty data directory. Exits with 1 if anything was found.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cacheDirOf } from '../../src/runtime/servers/cache-dir.ts';
import { freePort } from '../../src/runtime/servers/ports.ts';
import { sendOdd } from './odd.ts';

const FOLDER = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.resolve(FOLDER, '../..');
/** Extra time for the phase that the time limit does not cover. */
const COVERAGE_SECONDS = 240;
const STOP_MS = 15_000;

const PHASES = ['odd', 'schemathesis'];

const { values } = parseArgs({
  options: { seconds: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } },
});
const seconds = Number(values.seconds ?? 120);
const seed = Number(values.seed ?? randomInt(2 ** 31));
if (!Number.isSafeInteger(seconds) || seconds < 1) throw new Error('--seconds must be a whole number above 0');
if (!Number.isSafeInteger(seed) || seed < 0) throw new Error('--seed must be a whole number');
if (values.only !== undefined && !PHASES.includes(values.only))
  throw new Error(`--only must be ${PHASES.join(' or ')}`);
const runs = (phase: string) => values.only === undefined || values.only === phase;

interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  maxMs?: number;
}

/** Runs a program to its end and shows its output. */
async function run(program: string, args: string[], options: RunOptions = {}): Promise<number> {
  const { maxMs, ...rest } = options;
  const child = spawn(program, args, { ...rest, stdio: ['ignore', 'inherit', 'inherit'] });
  const limit = maxMs === undefined ? undefined : setTimeout(() => child.kill(), maxMs);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(limit);
  return code ?? 1;
}

/** Returns the path of `st` in the pinned version, and installs it if missing. */
async function schemathesis(): Promise<string> {
  const requirements = path.join(FOLDER, 'requirements.txt');
  const pins = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const home = path.join(cacheDirOf(process.env), `schemathesis-${pins}`);
  if (!existsSync(path.join(home, 'complete'))) {
    console.log(`installing schemathesis into ${home}`);
    await rm(home, { recursive: true, force: true });
    await mkdir(path.dirname(home), { recursive: true });
    const pip = path.join(home, 'bin/pip');
    const failed =
      (await run('python3', ['-m', 'venv', home])) ||
      (await run(pip, ['install', '-q', '--no-deps', '-r', requirements]));
    if (failed)
      throw new Error('schemathesis could not be installed: python3 (3.10 or newer) with venv and pip is needed');
    await mkdir(path.join(home, 'unfinished'));
    await rename(path.join(home, 'unfinished'), path.join(home, 'complete'));
  }
  return path.join(home, 'bin/st');
}

/** Starts everything on an empty data directory, and returns the address of the API when it responds. */
async function startDev(dataDir: string, logFile: string): Promise<{ url: string; dev: ChildProcess }> {
  const port = await freePort('127.0.0.1', 20_000 + randomInt(10_000));
  const args = ['--import', 'tsx', 'src/cli/main.ts', 'dev', '--json', '--port', String(port), '--data-dir', dataDir];
  const env = { ...process.env, REEMBED_API_TOKENS: '', REEMBED_FILE_ROOTS: '' };
  const dev = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const logged = dev.stderr.pipe(createWriteStream(logFile));
  let text = '';
  for await (const line of createInterface(dev.stdout)) {
    text += line;
    const url = /"api":\s*"([^"]+)"/.exec(text)?.[1];
    if (url) {
      dev.stdout.resume();
      return { url, dev };
    }
  }
  await once(logged, 'finish');
  throw new Error(`reembed dev did not start: see ${logFile}`);
}

async function stop(dev: ChildProcess): Promise<void> {
  if (dev.exitCode !== null || dev.signalCode !== null) throw new Error('reembed dev has died meanwhile');
  dev.kill('SIGINT');
  await Promise.race([once(dev, 'exit'), delay(STOP_MS).then(() => dev.kill('SIGKILL'))]);
}

/** Sends the odd requests and reports the results. */
async function fuzzOdd(url: string): Promise<number> {
  const { sent, statuses, problems } = await sendOdd(url, { seconds: values.only ? seconds : seconds / 3, seed });
  console.log(
    `${sent} odd requests: ${Object.entries(statuses)
      .map(([status, times]) => `${status} × ${times}`)
      .join(', ')}`,
  );
  for (const problem of problems) console.log(problem);
  return problems.length > 0 || sent === 0 ? 1 : 0;
}

async function fuzzByDocument(st: string, url: string, cwd: string): Promise<number> {
  const args = ['--config-file', path.join(FOLDER, 'schemathesis.toml'), 'run', `${url}/openapi.json`];
  const maxSeconds = values.only ? seconds : Math.ceil((seconds * 2) / 3);
  // It stores its findings in its working directory.
  return run(st, [...args, '--seed', String(seed), '--max-time', String(maxSeconds), '--no-color'], {
    cwd,
    env: { ...process.env, SCHEMATHESIS_HOOKS: path.join(FOLDER, 'hooks.py'), PYTHONDONTWRITEBYTECODE: '1' },
    maxMs: (maxSeconds + COVERAGE_SECONDS) * 1_000,
  });
}

const st = runs('schemathesis') ? await schemathesis() : null;
const folder = await mkdtemp(path.join(tmpdir(), 'reembed-fuzz-'));
const logFile = path.join(folder, 'dev.log');
const { url, dev } = await startDev(path.join(folder, 'data'), logFile);
console.log(`fuzzing ${url} with seed ${seed} for ${seconds} seconds and the time that coverage takes`);
let code = runs('odd') ? await fuzzOdd(url) : 0;
if (st !== null) code = (await fuzzByDocument(st, url, folder)) || code;
await stop(dev);
const internal = readFileSync(logFile, 'utf8')
  .split('\n')
  .filter((line) => line.includes('a request failed'));
for (const line of internal.slice(0, 5)) console.log(line);
if (code === 0 && internal.length === 0) await rm(folder, { recursive: true, force: true });
else console.log(`found something with seed ${seed}; the log of the server is ${logFile}`);
process.exit(code || (internal.length > 0 ? 1 : 0));
