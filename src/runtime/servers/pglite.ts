import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { messageOf, ReembedError } from '../../contract/errors.ts';
import { draftOf, versionOf } from './pglite-draft.ts';
import type { PgliteWorkerData, PgliteWorkerMessage } from './pglite-worker.ts';

export interface PgliteOptions {
  /** Folder of the database, or `memory` for one that is lost at the stop. Lock the folder first: PGlite does not. */
  dataDir: string | 'memory';
  /** File of a dump that a database in memory starts with; default: it is empty. */
  image?: string;
  say: (line: string) => void;
  /** Aborts the start. */
  signal?: AbortSignal | undefined;
}

export interface PgliteDatabase {
  /**
   * For `new pg.Pool(connection)`. Queries of all connections run one at a time, and a transaction blocks all others:
   * never wait for a second connection inside a transaction.
   */
  connection: { host: string; port: number; user: string; database: string; max: number };
  /** The same as a connection string. */
  url: string;
  /** Resolves if the database ends unexpectedly. */
  died: Promise<ReembedError>;
  stop(): Promise<void>;
}

/**
 * Starts the embedded database: PGlite with pgvector in a separate thread, behind a socket for node-postgres, in a
 * folder that only this user can enter.
 * @throws ReembedError `ServerUnavailable` if the database cannot be opened.
 * @example
 * const database = await startPglite({ dataDir: '.reembed/postgres', say });
 * const pool = new pg.Pool(database.connection);
 */
export async function startPglite({ dataDir, image, say, signal }: PgliteOptions): Promise<PgliteDatabase> {
  const inMemory = dataDir === 'memory';
  if (!inMemory) mkdirSync(path.dirname(path.resolve(dataDir)), { recursive: true });
  // mkdtemp creates it for this user only: any client of the socket is a superuser.
  const socketFolder = mkdtempSync(path.join(tmpdir(), 'reembed-'));
  const forgetFolder = () => rmSync(socketFolder, { recursive: true, force: true });
  // For a process that exits without a stop.
  process.once('exit', forgetFolder);

  const workerData: PgliteWorkerData = {
    dataDir: inMemory ? null : path.resolve(dataDir),
    image: inMemory && image !== undefined ? path.resolve(image) : null,
    // The socket name that clients expect in a folder.
    socketPath: path.join(socketFolder, '.s.PGSQL.5432'),
  };
  const worker = startWorker(workerData);
  let phase: 'starting' | 'running' | 'stopping' = 'starting';
  const slow = setTimeout(() => say('setting up the embedded database'), 1_500);

  let crash: unknown;
  worker.once('error', (error) => {
    crash = error;
  });
  const ended = new Promise<ReembedError>((resolve) => {
    worker.once('exit', (code) => {
      process.removeListener('exit', forgetFolder);
      forgetFolder();
      const reason = crash === undefined ? `its thread ended with code ${code}` : messageOf(crash);
      const version = phase === 'starting' && !inMemory ? versionOf(dataDir) : null;
      const advice = version === null ? '' : `; ${adviceFor(version)}`;
      const what = phase === 'starting' ? `could not open ${dataDir}` : 'ended unexpectedly';
      resolve(
        new ReembedError('ServerUnavailable', `The embedded database ${what}: ${reason}${advice}`, { cause: crash }),
      );
    });
  });
  const heard = (kind: PgliteWorkerMessage['kind']) =>
    new Promise<null>((resolve) => {
      worker.on('message', (message: PgliteWorkerMessage) => message.kind === kind && resolve(null));
    });

  const giveUp = () => void worker.terminate();
  if (signal?.aborted) giveUp();
  signal?.addEventListener('abort', giveUp, { once: true });
  const failed = await Promise.race([heard('ready'), ended]);
  signal?.removeEventListener('abort', giveUp);
  clearTimeout(slow);
  if (failed && !inMemory) rmSync(draftOf(path.resolve(dataDir)), { recursive: true, force: true });
  signal?.throwIfAborted();
  if (failed) throw failed;
  phase = 'running';
  const connection = { host: socketFolder, port: 5432, user: 'postgres', database: 'postgres', max: 4 };
  return {
    connection,
    url: `postgresql://postgres@/postgres?host=${encodeURIComponent(socketFolder)}&port=5432`,
    died: ended.then((error) => (phase === 'stopping' ? new Promise<never>(() => {}) : error)),
    stop: async () => {
      if (phase === 'running') {
        phase = 'stopping';
        const stopped = heard('stopped');
        worker.postMessage('stop');
        await Promise.race([stopped, ended]);
        await worker.terminate();
      }
      await ended;
    },
  };
}

function adviceFor(version: string): string {
  return `its files, of Postgres ${version}, are damaged or of another version than this one opens: restore them, or choose another folder with --data-dir (REEMBED_DATA_DIR)`;
}

function startWorker(workerData: PgliteWorkerData): Worker {
  const file = import.meta.url.endsWith('.ts') ? './pglite-worker-dev.mjs' : './pglite-worker.js';
  return new Worker(new URL(file, import.meta.url), { workerData, execArgv: [] });
}
