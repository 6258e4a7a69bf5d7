import pLimit from 'p-limit';
import { Tinypool } from 'tinypool';

export interface WorkerPoolOptions {
  /** Threads or processes at once; a call that finds none free waits. */
  most: number;
  runtime?: 'worker_threads' | 'child_process';
  env?: Record<string, string>;
  /** Sees why a thread or process without a call ended. */
  onProblem?: (error: unknown) => void;
}

/** The thread or process of a call could not start; the cause says why. */
export class CannotStart extends Error {}

const IDLE_MS = 60_000;

/**
 * Threads or processes that run the default export of one module, one call each at a time. None starts before a call
 * needs it; those without work end after a minute and never keep the process alive.
 */
export class WorkerPool<Request, Answer> {
  private readonly pool: Tinypool;
  /**
   * The queue is here: the pool's own one stands still once a thread has died or was ended, for no other is started until
   * the next call.
   */
  private readonly inTurn: <T>(call: () => Promise<T>) => Promise<T>;
  /** Calls given to the pool, oldest first: it takes them up in this order. */
  private readonly given = new Set<AbortController>();

  constructor(module: URL, { most, runtime = 'worker_threads', env, onProblem }: WorkerPoolOptions) {
    this.inTurn = pLimit(most);
    this.pool = new Tinypool({
      filename: module.href,
      runtime,
      minThreads: 0,
      maxThreads: most,
      idleTimeout: IDLE_MS,
      serialization: 'advanced',
      ...(env && { env }),
    });
    // The end of one that had begun nothing: it could not start, and what waits for it would wait forever.
    this.pool.on('error', (error) => {
      onProblem?.(error);
      const { queueSize } = this.pool;
      if (queueSize > 0) for (const waiting of [...this.given].slice(-queueSize)) waiting.abort(error);
    });
  }

  /**
   * Calls the module. Aborting `signal` takes the call out of the queue, or ends its thread or process, whatever that is
   * at. Rejects with the reason of the signal, the error of the module, `CannotStart`, or what the thread or process died
   * of.
   */
  run(request: Request, signal?: AbortSignal): Promise<Answer> {
    return untilAborted(
      this.inTurn(() => this.call(request, signal)),
      signal,
    );
  }

  async close(): Promise<void> {
    await this.pool.destroy();
  }

  private async call(request: Request, signal?: AbortSignal): Promise<Answer> {
    signal?.throwIfAborted();
    const cannotStart = new AbortController();
    this.given.add(cannotStart);
    try {
      const signals = signal ? [signal, cannotStart.signal] : [cannotStart.signal];
      return (await this.pool.run(request, { signal: AbortSignal.any(signals) })) as Answer;
    } catch (error) {
      const { aborted, reason } = cannotStart.signal;
      throw aborted ? new CannotStart('the thread or process could not start', { cause: reason }) : error;
    } finally {
      this.given.delete(cannotStart);
    }
  }
}

/** The same promise, which also rejects when the signal is aborted. */
function untilAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
