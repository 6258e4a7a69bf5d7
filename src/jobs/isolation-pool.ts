import { messageOf, ReembedError } from '../contract/errors.ts';
import type { Isolate } from '../contract/jobs.ts';
import { moduleBeside } from '../cpu/module-beside.ts';
import { CannotStart, WorkerPool } from '../cpu/worker-pool.ts';
import type { IsolatedOutcome, IsolatedRun } from './isolated-entry.ts';
import { fromPlain } from './serialized-error.ts';

export interface IsolationOptions {
  /** Modules that define the tasks; each thread or process imports them. */
  modules: readonly string[];
  /** How isolated handlers reach Temporal, to send and inspect jobs. */
  temporal: IsolatedRun['temporal'];
  /** Max. threads, and max. processes; a job waits until one is free. */
  max: number;
  onProblem(error: unknown): void;
}

export interface Isolation {
  /** Runs a handler in a thread or process. Aborting `signal` ends the thread or process. */
  run(kind: Exclude<Isolate, 'none'>, job: IsolatedJob, signal: AbortSignal): Promise<unknown>;
  close(): Promise<void>;
}

export type IsolatedJob = Omit<IsolatedRun, 'modules' | 'temporal'>;

const RUNTIME = { thread: 'worker_threads', process: 'child_process' } as const;

/** Creates the threads and processes for handlers that block the event loop. Each is started when a job needs it. */
export function createIsolation({ modules, temporal, max, onProblem }: IsolationOptions): Isolation {
  const pools = new Map<Isolate, Pool>();
  const poolOf = (kind: Exclude<Isolate, 'none'>) => {
    const pool = pools.get(kind) ?? new Pool(kind, max, onProblem);
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

/** A pool of threads or processes, each of which runs one handler at a time. */
class Pool {
  private readonly kind: Exclude<Isolate, 'none'>;
  private readonly pool: WorkerPool<IsolatedRun, IsolatedOutcome>;

  constructor(kind: Exclude<Isolate, 'none'>, max: number, onProblem: (error: unknown) => void) {
    this.kind = kind;
    this.pool = new WorkerPool(moduleBeside(import.meta.url, 'isolated-entry'), {
      ...{ max, onProblem },
      runtime: RUNTIME[kind],
      env: process.env as Record<string, string>,
    });
  }

  async run(run: IsolatedRun, signal: AbortSignal): Promise<IsolatedOutcome> {
    try {
      return await this.pool.run(run, signal);
    } catch (error) {
      // Errors of the handler are outcomes, so this is an error of the thread or process.
      const [what, cause] = error instanceof CannotStart ? ['could not start', error.cause] : ['ended', error];
      throw new ReembedError('WorkerLost', `the ${this.kind} of the job ${what}: ${messageOf(cause)}`, { cause });
    }
  }

  async close(): Promise<void> {
    await this.pool.close();
  }
}
