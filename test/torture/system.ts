import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SEARCH_ATTRIBUTES } from '../../src/contract/names.ts';
import { freePort } from '../../src/runtime/servers/ports.ts';
import { type ServerProcess, startProcess } from '../../src/runtime/servers/processes.ts';
import { startTemporalDevServer, type TemporalDevServer } from '../../src/runtime/servers/temporal.ts';
import { buildInto } from '../support/build.ts';
import { type EmbeddingServer, startEmbeddingServer } from '../support/embedding-server.ts';
import { type PostgresServer, startPostgres } from '../support/servers/postgres.ts';
import { again, START_TRIES_MS } from './again.ts';
import { freeze } from './freeze.ts';
import { type Choose, type Statement, Tap } from './stops/tap.ts';

/** A process with workers; all names except `worker` state the role. */
export type WorkerPiece = `${'worker' | 'control' | 'embed' | 'jobs'} ${number}`;
/** Pieces that can be removed. */
export type Piece = WorkerPiece | 'api' | 'temporal' | 'postgres';
/** `freeze`: it is stopped (SIGSTOP), and continues later as if nothing had happened. */
export type Ending = 'stop' | 'kill' | 'freeze';
export const OPENAI_DIMENSIONS = 24;

const HOST = '127.0.0.1';

export interface SystemOptions {
  /** Default: two with all roles. */
  workers?: readonly WorkerPiece[];
  /** A module that defines tasks for the workers of the role `jobs`. */
  tasksFile?: string;
  /** Servers that already run: they are neither started nor stopped here. */
  outside?: {
    temporalAddress: string;
    databaseUrl?: string | undefined;
    /** The same database through a pooler in transaction mode, for processes without sessions: API and control. */
    pooledUrl?: string | undefined;
  };
  /** Connects each process to Postgres through its own tap, where its statements can be watched and stopped. */
  taps?: boolean;
  /** Further environment variables of the processes. */
  env?: Record<string, string>;
}

/** The whole of reembed as separate processes with its own folder and ports; each piece can be removed. */
export class System {
  readonly folder: string;
  /** Processes that ended unexpectedly. */
  readonly deaths: string[] = [];
  apiUrl = '';
  databaseUrl = '';
  temporalAddress = '';
  private readonly say: (line: string) => void;
  private readonly options: SystemOptions;
  private readonly workers: readonly WorkerPiece[];
  private main = '';
  private env: NodeJS.ProcessEnv = {};
  private ports = { api: 0, temporal: 0, postgres: 0 };
  private postgres: PostgresServer | null = null;
  private temporal: TemporalDevServer | null = null;
  private embedding: EmbeddingServer | null = null;
  private readonly children = new Map<Piece, ServerProcess>();
  private readonly taps = new Map<string, string>();
  private readonly tapping: Tap[] = [];
  private watcher: (piece: string, statement: Statement) => ReturnType<Choose> = () => null;
  private stopping = false;

  constructor(say: (line: string) => void, options: SystemOptions = {}) {
    this.say = say;
    this.options = options;
    this.workers = options.workers ?? ['worker 1', 'worker 2'];
    this.folder = mkdtempSync(path.join(tmpdir(), 'reembed-torture-'));
    chmodSync(this.folder, 0o755); // as root, Postgres runs as another user, who needs access
  }

  get embeddingUrl(): string {
    return this.embedding?.url ?? '';
  }

  /** The provider of the models that are not built in. */
  get provider(): EmbeddingServer {
    if (!this.embedding) throw new Error('the system has not started');
    return this.embedding;
  }

  async start(): Promise<void> {
    mkdirSync(path.join(this.folder, 'build'));
    const building = buildInto(path.join(this.folder, 'build'));
    building.catch(() => {});
    this.embedding = await startEmbeddingServer({ dimensions: OPENAI_DIMENSIONS, delayMs: 50, record: false });
    for (const name of ['api', 'temporal', 'postgres'] as const) this.ports[name] = await freePort(HOST);
    const { outside, tasksFile } = this.options;
    if (outside?.databaseUrl) this.databaseUrl = outside.databaseUrl;
    else await this.startPiece('postgres');
    if (outside) this.temporalAddress = outside.temporalAddress;
    else await this.startPiece('temporal');
    this.main = await building;
    // Next to the build, so that it finds the built package by its name.
    if (tasksFile) copyFileSync(tasksFile, this.tasksModule);
    this.apiUrl = `http://${HOST}:${this.ports.api}`;
    this.env = this.settings();
    await this.migrate();
    if (this.options.taps) for (const piece of [...this.workers, 'api']) await this.startTap(piece);
    await Promise.all([...this.workers, 'api' as const].map((piece) => this.startPiece(piece)));
    await this.untilReady();
  }

  /** The processes of reembed that run, by name. */
  pids(): [name: string, pid: number][] {
    return [...this.children].map(([piece, { pid }]) => [piece, pid]);
  }

  /** Removes a piece and, after a while, starts it again. */
  async restart(piece: Piece, ending: Ending, awayMs: number): Promise<void> {
    if (ending === 'freeze') {
      const thaw = this.freeze(piece);
      await sleep(awayMs);
      return thaw();
    }
    await this.endPiece(piece, ending);
    await sleep(awayMs);
    if (!this.stopping) await this.startPiece(piece);
  }

  /** Observes each statement that a process sends, and may stop it there. Needs taps. */
  watchStatements(watcher: (piece: string, statement: Statement) => ReturnType<Choose>): void {
    this.watcher = watcher;
  }

  /** Stops all processes of a piece; returns a function that lets them continue. */
  freeze(piece: Piece): () => void {
    const pid = this.pidOf(piece);
    return pid === undefined ? () => {} : freeze(pid);
  }

  /** Waits until the API reports that all its servers answer. */
  async untilReady(): Promise<void> {
    for (const endMs = Date.now() + START_TRIES_MS; ; await sleep(100)) {
      const response = await fetch(`${this.apiUrl}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
      if (response?.ok) return;
      if (Date.now() > endMs) throw new Error(`the API is not ready: ${response?.status ?? 'no answer'}`);
    }
  }

  /** Ends all; removes the folder too, unless it is to be inspected. */
  async stop(options: { keepFolder: boolean }): Promise<void> {
    this.stopping = true;
    await Promise.all(['api' as const, ...this.workers].map((piece) => this.endPiece(piece, 'stop')));
    await Promise.all((['temporal', 'postgres'] as const).map((piece) => this.endPiece(piece, 'stop')));
    await this.embedding?.close();
    for (const tap of this.tapping) await tap.stop();
    if (!options.keepFolder) rmSync(this.folder, { recursive: true, force: true });
  }

  private get tasksModule(): string {
    return path.join(this.folder, 'build', 'tasks.mjs');
  }

  private settings(): NodeJS.ProcessEnv {
    const ours = /^(REEMBED_|TEMPORAL_|DATABASE_URL$)/;
    return {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name))),
      NODE_OPTIONS: '--enable-source-maps',
      DATABASE_URL: this.databaseUrl,
      TEMPORAL_ADDRESS: this.temporalAddress,
      REEMBED_PORT: String(this.ports.api),
      REEMBED_SHUTDOWN_SECONDS: '2',
      REEMBED_DATABASE_CONNECTIONS: '10',
      REEMBED_VECTOR_INDEX_AFTER_PARTS: '2000',
      ...(this.options.tasksFile && { REEMBED_TASKS: this.tasksModule }),
      ...this.options.env,
    };
  }

  private async startPiece(piece: Piece): Promise<void> {
    const { say } = this;
    if (piece === 'postgres') {
      const options = { dataDir: path.join(this.folder, 'postgres'), durable: false, env: process.env, say };
      const port = this.ports.postgres;
      this.postgres = await again(
        () => startPostgres({ ...options, port }),
        ({ url }) => url.includes(`:${port}/`),
      );
      this.databaseUrl = this.postgres.url;
    } else if (piece === 'temporal') {
      const dbFilename = path.join(this.folder, 'temporal.db');
      const options = { dbFilename, searchAttributes: SEARCH_ATTRIBUTES, env: process.env, say };
      const port = this.ports.temporal;
      this.temporal = await again(
        () => startTemporalDevServer({ ...options, port }),
        ({ address }) => address.endsWith(`:${port}`),
      );
      this.temporalAddress = this.temporal.address;
    } else {
      const role = piece.split(' ')[0] as string;
      const args = role === 'api' || role === 'worker' ? [role] : ['worker', '--role', role];
      this.children.set(piece, await this.spawn(piece, args));
    }
  }

  private async startTap(piece: string): Promise<void> {
    const url = new URL(this.databaseUrl);
    const tap = new Tap(url.hostname, Number(url.port));
    tap.choose = (statement) => this.watcher(piece, statement);
    this.tapping.push(tap);
    url.port = String(await tap.start());
    this.taps.set(piece, url.href);
  }

  private async spawn(name: string, args: string[]): Promise<ServerProcess> {
    const pooledUrl = /^(api|control)/.test(name) ? this.options.outside?.pooledUrl : undefined;
    const url = pooledUrl ?? this.taps.get(name) ?? this.databaseUrl;
    const child = await startProcess({
      title: name,
      command: process.execPath,
      args: [this.main, ...args],
      env: { ...this.env, DATABASE_URL: url },
      logFile: path.join(this.folder, `${name.replace(' ', '-')}.log`),
      stopSignal: 'SIGTERM',
    });
    if (name !== 'migrate') child.died.then((error) => this.revive(name as Piece, child, error.message));
    return child;
  }

  /** Starts dead processes again, like a process manager, and reports that they died. */
  private async revive(piece: Piece, dead: ServerProcess, message: string): Promise<void> {
    if (this.stopping || this.children.get(piece) !== dead) return;
    this.deaths.push(message);
    this.say(`${piece} died by itself: ${message}`);
    await sleep(500);
    if (!this.stopping && this.children.get(piece) === dead) await this.startPiece(piece);
  }

  private async migrate(): Promise<void> {
    const child = await this.spawn('migrate', ['migrate']);
    const endMs = Date.now() + START_TRIES_MS;
    while (!child.hasEnded() && Date.now() < endMs) await sleep(50);
    if (child.process.exitCode !== 0) throw new Error(`the migration failed: ${await child.logTail()}`);
  }

  private pieceOf(piece: Piece) {
    if (piece === 'postgres') return this.postgres;
    return piece === 'temporal' ? this.temporal : this.children.get(piece);
  }

  private pidOf(piece: Piece): number | undefined {
    if (piece === 'temporal') return this.temporal?.process.pid;
    return piece === 'postgres' ? this.postgres?.pid : this.children.get(piece)?.pid;
  }

  private async endPiece(piece: Piece, ending: 'stop' | 'kill'): Promise<void> {
    const ended = this.pieceOf(piece);
    this.children.delete(piece);
    await ended?.[ending]();
  }
}
