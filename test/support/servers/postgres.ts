import { execFile } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { messageOf, ReembedError } from '../../../src/contract/errors.ts';
import { findServer } from '../../../src/runtime/servers/find.ts';
import { freePort } from '../../../src/runtime/servers/ports.ts';
import { endLeftOver, type ServerProcess, startProcess } from '../../../src/runtime/servers/processes.ts';

const HOST = '127.0.0.1';
const READY_TIMEOUT_MS = 60_000;
const PORT_ATTEMPTS = 10;

export interface PostgresOptions {
  /** Folder of the programs of another Postgres, which need not have pgvector; default: the one that reembed fetches. */
  bin?: string | undefined;
  /** Folder of the database; created if it does not exist. */
  dataDir: string;
  /** Port to try first; if it is in use, the next free one is used. Default: any free port. */
  port?: number;
  /** Whether commits survive a crash of the machine (they always survive a crash of the process). */
  durable?: boolean;
  /** Additional server settings, as in `postgresql.conf`. */
  settings?: Record<string, string | number>;
  env: NodeJS.ProcessEnv;
  say: (line: string) => void;
}

export interface PostgresServer {
  /** Connection string of the superuser, without a password: only this machine can reach the server. */
  url: string;
  pid: number;
  /** Resolves if the server ends unexpectedly. */
  died: Promise<ReembedError>;
  /** Stops it in an orderly way (open connections are closed). */
  stop(): Promise<void>;
  /** Ends it like a crash; the next start on the same folder recovers. */
  kill(): Promise<void>;
}

/**
 * Starts a Postgres with pgvector for tests and evaluation: no passwords, loopback only.
 * @throws ReembedError `ServerUnavailable` with what the server printed.
 * @example
 * const postgres = await startPostgres({ dataDir, env: process.env, say });
 * const pool = new pg.Pool({ connectionString: postgres.url });
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const bin = options.bin ?? (await findServer('postgres', options));
  const dataDir = path.resolve(options.dataDir);
  const user = serverUser(dataDir);
  mkdirSync(dataDir, { recursive: true });
  if (user) {
    for (const folder of [bin, dataDir]) requireReachable(folder, user.uid);
    chownSync(dataDir, user.uid, user.gid);
  }
  const env = { ...options.env, LC_ALL: 'C' };
  const pidFile = path.join(dataDir, 'reembed.pid');
  if (existsSync(path.join(dataDir, 'PG_VERSION'))) await endLeftOver('Postgres', pidFile);
  else await initialize(bin, dataDir, user, { env, locale: options.bin ? ['--locale=C'] : LOCALE });

  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort(HOST, options.port);
    const server = await startProcess({
      title: 'Postgres',
      command: path.join(bin, 'postgres'),
      args: ['-D', dataDir, ...settingsOf(port, options).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      env,
      logFile: path.join(dataDir, 'server.log'),
      stopSignal: 'SIGINT',
      // With SIGKILL, its child processes would continue until they notice.
      orphanSignal: 'SIGQUIT',
      user,
      pidFile,
    });
    const url = `postgresql://postgres@${HOST}:${port}/postgres`;
    const outcome = await waitUntilReady(server, url, dataDir);
    if (outcome === 'ready') {
      return { url, pid: server.pid, died: server.died, stop: () => server.stop(30_000), kill: server.kill };
    }
    await server.kill();
    // Another process may have taken the port since we checked it.
    if (/could not (bind|create any TCP)/.test(outcome) && attempt < PORT_ATTEMPTS) continue;
    throw new ReembedError('ServerUnavailable', `Postgres did not start: ${outcome}`);
  }
}

function settingsOf(port: number, { durable = false, settings = {} }: PostgresOptions): [string, string | number][] {
  // Commits still reach the operating system before they are confirmed, so they survive a killed process either way.
  const safety = durable ? {} : { fsync: 'off', full_page_writes: 'off' };
  return Object.entries({
    listen_addresses: HOST,
    port,
    unix_socket_directories: '',
    max_connections: 100,
    shared_buffers: '64MB',
    ...safety,
    ...settings,
  });
}

type User = { uid: number; gid: number };

/** Versions before 17 do not know this provider. */
const LOCALE = ['--locale-provider=builtin', '--locale=C.UTF-8', '--lc-collate=C', '--lc-ctype=C'];

async function initialize(
  bin: string,
  dataDir: string,
  user: User | undefined,
  { env, locale }: { env: NodeJS.ProcessEnv; locale: string[] },
) {
  const args = ['-D', dataDir, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--no-sync', '--no-instructions'];
  try {
    await promisify(execFile)(path.join(bin, 'initdb'), [...args, ...locale], { env, cwd: '/', ...user });
  } catch (error) {
    const printed = (error as { stderr?: string }).stderr?.trim().split('\n').at(-1);
    throw new ReembedError(
      'ServerUnavailable',
      `Postgres could not set up ${dataDir}: ${printed || messageOf(error)}`,
      { cause: error },
    );
  }
}

/** Returns the user for Postgres, which refuses to run as root: the folder's owner, else `postgres` or `nobody`. */
function serverUser(dataDir: string): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const owner = statSync(dataDir, { throwIfNoEntry: false });
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const found = users.find((fields) => fields[0] === name);
    if (found) return { uid: Number(found[2]), gid: Number(found[3]) };
  }
  return { uid: 65_534, gid: 65_534 };
}

/** Checks that the server's user can reach a folder; otherwise Postgres would fail with an unhelpful error. */
function requireReachable(folder: string, uid: number): void {
  for (let parent = path.dirname(folder); parent !== path.dirname(parent); parent = path.dirname(parent)) {
    const { mode, uid: owner } = statSync(parent);
    if ((mode & 0o001) === 0 && owner !== uid) {
      throw new ReembedError(
        'ServerUnavailable',
        `Postgres does not run as root, and its user cannot enter ${parent} to reach ${folder}: choose another folder, or run as a user that is not root`,
      );
    }
  }
}

/** Waits until *this* server answers. @returns `ready`, or the problem. */
async function waitUntilReady(server: ServerProcess, url: string, dataDir: string): Promise<string> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  let problem = '';
  while (Date.now() < deadline) {
    if (server.hasEnded()) return await server.logTail();
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    // The server may close the connection at any time during its start; the query then fails too.
    client.on('error', () => {});
    try {
      await client.connect();
      const { rows } = await client.query<{ dir: string }>(`select current_setting('data_directory') as dir`);
      if (rows[0]?.dir === dataDir) return 'ready';
      problem = `another Postgres answers at ${url}`;
    } catch (error) {
      problem = messageOf(error);
    } finally {
      await client.end().catch(() => {});
    }
    await sleep(30);
  }
  return `no answer within ${READY_TIMEOUT_MS / 1000} s (${problem})`;
}
