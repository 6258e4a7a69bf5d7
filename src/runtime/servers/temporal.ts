import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { messageOf, ReembedError } from '../../contract/errors.ts';
import { findServer } from './find.ts';
import { freePort } from './ports.ts';
import { endLeftOver, type ServerProcess, startProcess } from './processes.ts';

/** The CLI's names of search attribute types, by the SDK's names. */
const ATTRIBUTE_TYPES = {
  TEXT: 'Text',
  KEYWORD: 'Keyword',
  INT: 'Int',
  DOUBLE: 'Double',
  BOOL: 'Bool',
  DATETIME: 'Datetime',
  KEYWORD_LIST: 'KeywordList',
} as const;

/** Server settings whose defaults in the dev server differ. */
const DYNAMIC_CONFIG = {
  // By default, a task waits about 50 ms before it is dispatched: five sequential activities took 300 to 550 ms instead
  // of 50 to 120.
  'history.transferProcessorMaxPollRPS': 2000,
  // By default, every timer, including backoffs, fires up to a second late, to allow for clock differences between
  // hosts; here there is only one host. Five sleeps of 20 ms took 5 s, with this setting 0.5 s.
  'history.timerProcessorMaxTimeShift': '1ms',
  // Required for fairness keys of tasks.
  'matching.enableFairness': true,
};

const READY_TIMEOUT_MS = 30_000;
const PORT_ATTEMPTS = 10;

export interface TemporalDevServerOptions {
  /** File that persists everything across restarts; without it, all data is lost at the stop. */
  dbFilename?: string;
  /** Port to try first; if it is in use, the next free one is used. Default: any free port. */
  port?: number;
  /** Port to try first for the web UI; without it, there is no UI. */
  uiPort?: number;
  /** Namespace to create at the start; `default` always exists. */
  namespace?: string;
  /** Search attributes to register at the start, by name; existing ones are allowed. */
  searchAttributes: Readonly<Record<string, keyof typeof ATTRIBUTE_TYPES>>;
  /** Address to listen on; default: loopback, because the dev server has no authentication. */
  ip?: string;
  env: NodeJS.ProcessEnv;
  say: (line: string) => void;
  /** Aborts the start and ends the server. */
  signal?: AbortSignal | undefined;
  /** File for what the server prints; default: `<dbFilename>.log`, or a file that is removed at the stop. */
  logFile?: string;
}

export interface TemporalDevServer {
  /** `host:port` for clients and workers. */
  address: string;
  uiUrl: string | null;
  namespace: string;
  process: ChildProcess;
  /** Resolves if the server ends unexpectedly. */
  died: Promise<ReembedError>;
  stop(): Promise<void>;
  /** Ends it like a crash. */
  kill(): Promise<void>;
}

/**
 * Starts Temporal's dev server and waits until it answers.
 * @throws ReembedError `ServerUnavailable` with what the server printed; `DataDirInUse` if one runs on the same file.
 * @example
 * const temporal = await startTemporalDevServer({ dbFilename, port: 7233, uiPort: 8233, searchAttributes, env, say });
 */
export async function startTemporalDevServer(options: TemporalDevServerOptions): Promise<TemporalDevServer> {
  const { ip = '127.0.0.1', namespace = 'default', say } = options;
  const command = await findServer('temporal-cli', options);
  const dbFile = options.dbFilename && path.resolve(options.dbFilename);
  const pidFile = dbFile && `${dbFile}.pid`;
  if (dbFile) mkdirSync(path.dirname(dbFile), { recursive: true });
  if (pidFile) await endLeftOver('Temporal dev server', pidFile);
  const givenLog = options.logFile ?? (dbFile && `${dbFile}.log`);
  const logFolder = givenLog ? null : mkdtempSync(path.join(tmpdir(), 'reembed-temporal-'));
  const forgetLog = () => logFolder && rmSync(logFolder, { recursive: true, force: true });

  try {
    for (let attempt = 1; ; attempt += 1) {
      const port = await freePort(ip, options.port);
      const uiPort = options.uiPort === undefined ? null : await freePort(ip, options.uiPort, port);
      const logFile = givenLog ?? path.join(logFolder as string, 'temporal.log');
      // Search the banner of this start after the output of earlier ones.
      const before = await readSize(logFile);
      const server = await startProcess({
        title: 'The Temporal dev server',
        command,
        args: argumentsOf({ ip, port, uiPort, namespace, dbFile, searchAttributes: options.searchAttributes }),
        env: options.env,
        logFile,
        stopSignal: 'SIGTERM',
        orphanSignal: 'SIGKILL',
        pidFile,
      });
      const outcome = await waitUntilReady(
        server,
        `${ip}:${port}`,
        namespace,
        { file: logFile, from: before },
        options.signal,
      );
      if (outcome === 'ready') {
        if (options.port && port !== options.port) say(`port ${options.port} is in use, Temporal listens on ${port}`);
        return {
          address: `${ip}:${port}`,
          uiUrl: uiPort === null ? null : `http://${ip}:${uiPort}`,
          namespace,
          process: server.process,
          died: server.died,
          stop: () => server.stop().finally(forgetLog),
          kill: () => server.kill().finally(forgetLog),
        };
      }
      await server.kill();
      options.signal?.throwIfAborted();
      // Another process may have taken the port since we checked it.
      if (outcome.includes('address already in use') && attempt < PORT_ATTEMPTS) continue;
      throw new ReembedError('ServerUnavailable', `The Temporal dev server did not start: ${outcome}`);
    }
  } catch (error) {
    forgetLog();
    throw error;
  }
}

interface Arguments {
  ip: string;
  port: number;
  uiPort: number | null;
  namespace: string;
  dbFile: string | undefined;
  searchAttributes: TemporalDevServerOptions['searchAttributes'];
}

function argumentsOf(wanted: Arguments): string[] {
  return [
    ...['server', 'start-dev', '--ip', wanted.ip, '--port', String(wanted.port), '--log-level', 'warn'],
    ...(wanted.uiPort === null ? ['--headless'] : ['--ui-port', String(wanted.uiPort), '--ui-disable-news-fetch']),
    ...(wanted.namespace === 'default' ? [] : ['--namespace', wanted.namespace]),
    ...(wanted.dbFile ? ['--db-filename', wanted.dbFile] : []),
    ...Object.entries(DYNAMIC_CONFIG).flatMap(([key, value]) => [
      '--dynamic-config-value',
      `${key}=${JSON.stringify(value)}`,
    ]),
    ...Object.entries(wanted.searchAttributes).flatMap(([name, type]) => [
      '--search-attribute',
      `${name}=${ATTRIBUTE_TYPES[type]}`,
    ]),
  ];
}

/**
 * Waits until *this* server listens (as its banner shows; another process could answer on the port) and its namespace
 * responds. @returns `ready`, or the problem.
 */
async function waitUntilReady(
  server: ServerProcess,
  address: string,
  namespace: string,
  log: { file: string; from: number },
  signal: AbortSignal | undefined,
): Promise<string> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  let problem = 'it printed nothing';
  while (Date.now() < deadline) {
    if (signal?.aborted) return 'its start was aborted';
    if (server.hasEnded()) return await server.logTail();
    const printed = (await readFile(log.file)).subarray(log.from).toString();
    if (printed.includes('Temporal Server:')) {
      try {
        const connection = await Connection.connect({ address, connectTimeout: 2_000 });
        try {
          await connection.withDeadline(Date.now() + 2_000, () =>
            connection.workflowService.describeNamespace({ namespace }),
          );
          return 'ready';
        } finally {
          await connection.close();
        }
      } catch (error) {
        problem = messageOf(error);
      }
    }
    await sleep(20);
  }
  return `no answer within ${READY_TIMEOUT_MS / 1000} s (${problem})`;
}

async function readSize(file: string): Promise<number> {
  return (await readFile(file).catch(() => Buffer.alloc(0))).length;
}
