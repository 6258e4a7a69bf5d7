import { messageOf, ReembedError } from '../contract/errors.ts';
import type { Isolate } from '../contract/jobs.ts';
import { CannotStart, WorkerPool } from '../cpu/worker-pool.ts';
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
  private readonly pool: WorkerPool<IsolatedRun, IsolatedOutcome>;

  constructor(kind: Exclude<Isolate, 'none'>, most: number, onProblem: (error: unknown) => void) {
    this.kind = kind;
    const fromSources = import.meta.url.endsWith('.ts');
    this.pool = new WorkerPool(new URL(fromSources ? './isolated-dev.mjs' : './isolated.js', import.meta.url), {
      ...{ most, onProblem },
      runtime: RUNTIME[kind],
      env: process.env as Record<string, string>,
    });
  }

  async run(run: IsolatedRun, signal: AbortSignal): Promise<IsolatedOutcome> {
    try {
      return await this.pool.run(run, signal);
    } catch (error) {
      // The handler's own errors come as outcomes.
      const [what, cause] = error instanceof CannotStart ? ['could not start', error.cause] : ['ended', error];
      throw new ReembedError('WorkerLost', `the ${this.kind} of the job ${what}: ${messageOf(cause)}`, { cause });
    }
  }

  async close(): Promise<void> {
    await this.pool.close();
  }
}
