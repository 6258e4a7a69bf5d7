import { Tinypool } from 'tinypool';
import { messageOf, ReembedError } from '../contract/errors.ts';
import type { Isolate } from '../contract/jobs.ts';
import type { IsolatedOutcome, IsolatedRun } from './isolated.ts';
import { fromPlain } from './plain-error.ts';

export interface IsolationOptions {
  /** Define the tasks: each thread or process imports them for itself. */
  modules: readonly string[];
  /** How handlers in there reach Temporal, to send jobs and to look at them. */
  temporal: IsolatedRun['temporal'];
  /** Threads, and processes, at once; a job that finds none free waits. */
  most: number;
  onProblem(error: unknown): void;
}

export interface Isolation {
  /** Runs a handler in a thread or a process. Aborting `signal` ends that one, whatever it is at. */
  run(kind: Exclude<Isolate, 'none'>, job: IsolatedJob, signal: AbortSignal): Promise<unknown>;
  close(): Promise<void>;
}

export type IsolatedJob = Omit<IsolatedRun, 'modules' | 'temporal'>;

const RUNTIME = { thread: 'worker_threads', process: 'child_process' } as const;
const IDLE_MS = 60_000;

/** Threads and processes for handlers that block the event loop. None is started before a job needs it. */
export function createIsolation({ modules, temporal, most, onProblem }: IsolationOptions): Isolation {
  const pools = new Map<Isolate, Pool>();
  const poolOf = (kind: Exclude<Isolate, 'none'>) => {
    const pool = pools.get(kind) ?? new Pool(kind, most, onProblem);
    pools.set(kind, pool);
    return pool;
  };
  return {
    async run(kind, job, signal) {
      const message: IsolatedRun = { ...job, modules, temporal };
      const outcome = await poolOf(kind).run(message, signal);
      if (outcome.kind === 'threw') throw fromPlain(outcome.error);
      return outcome.value;
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
}

/** Threads or processes, each of which runs one handler at a time. */
class Pool {
  private readonly kind: Exclude<Isolate, 'none'>;
  private readonly pool: Tinypool;
  /** What has been given to the pool, oldest first: it takes them up in this order. */
  private readonly given = new Set<AbortController>();

  constructor(kind: Exclude<Isolate, 'none'>, most: number, onProblem: (error: unknown) => void) {
    this.kind = kind;
    const fromSources = import.meta.url.endsWith('.ts');
    this.pool = new Tinypool({
      filename: new URL(fromSources ? './isolated-dev.mjs' : './isolated.js', import.meta.url).href,
      runtime: RUNTIME[kind],
      minThreads: 0,
      maxThreads: most,
      idleTimeout: IDLE_MS,
      env: process.env as Record<string, string>,
      serialization: 'advanced',
    });
    // The end of one that had begun nothing: it could not start, and what waited for it would wait for ever.
    this.pool.on('error', (error) => {
      onProblem(error);
      const { queueSize } = this.pool;
      if (queueSize > 0) for (const waiting of [...this.given].slice(-queueSize)) waiting.abort(error);
    });
  }

  async run(run: IsolatedRun, signal: AbortSignal): Promise<IsolatedOutcome> {
    const cannotStart = new AbortController();
    this.given.add(cannotStart);
    try {
      return await this.pool.run(run, { signal: AbortSignal.any([signal, cannotStart.signal]) });
    } catch (error) {
      // The handler's own errors come as outcomes.
      const [what, cause] = cannotStart.signal.aborted
        ? ['could not start', cannotStart.signal.reason]
        : ['ended', error];
      throw new ReembedError('WorkerLost', `the ${this.kind} of the job ${what}: ${messageOf(cause)}`, { cause });
    } finally {
      this.given.delete(cannotStart);
    }
  }

  async close(): Promise<void> {
    await this.pool.destroy();
  }
}
