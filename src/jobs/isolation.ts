import type { ConnectionOptions } from '@temporalio/client';
import { Tinypool } from 'tinypool';
import { messageOf, ReembedError } from '../contract/errors.ts';
import type { Isolate } from '../contract/jobs.ts';
import type { IsolatedOutcome, IsolatedRun } from './isolated.ts';
import { fromPlain } from './plain-error.ts';

export interface IsolationOptions {
  /** Define the tasks: each thread or process imports them for itself. */
  modules: readonly string[];
  /** How handlers in there reach Temporal, to send jobs and to look at them. */
  temporal: { connection: ConnectionOptions; namespace: string; taskQueue: string };
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
  const pools = new Map<Isolate, Tinypool>();
  const poolOf = (kind: Exclude<Isolate, 'none'>) => {
    const pool = pools.get(kind) ?? createPool(RUNTIME[kind], most, onProblem);
    pools.set(kind, pool);
    return pool;
  };
  return {
    async run(kind, job, signal) {
      const message: IsolatedRun = { ...job, modules, temporal };
      const outcome = await runIn(poolOf(kind), kind, message, signal);
      if (outcome.kind === 'threw') throw fromPlain(outcome.error);
      return outcome.value;
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

async function runIn(pool: Tinypool, kind: Isolate, run: IsolatedRun, signal: AbortSignal): Promise<IsolatedOutcome> {
  try {
    return await pool.run(run, { signal });
  } catch (error) {
    // The handler's own errors come as outcomes.
    throw new ReembedError('WorkerLost', `the ${kind} of the job ended: ${messageOf(error)}`, { cause: error });
  }
}

function createPool(
  runtime: (typeof RUNTIME)[keyof typeof RUNTIME],
  most: number,
  onProblem: (error: unknown) => void,
): Tinypool {
  const fromSources = import.meta.url.endsWith('.ts');
  const pool = new Tinypool({
    filename: new URL(fromSources ? './isolated-dev.mjs' : './isolated.js', import.meta.url).href,
    runtime,
    minThreads: 0,
    maxThreads: most,
    idleTimeout: IDLE_MS,
    env: process.env as Record<string, string>,
    serialization: 'advanced',
  });
  pool.on('error', onProblem);
  return pool;
}
