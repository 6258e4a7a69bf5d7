import pLimit from 'p-limit';
import { Tinypool } from 'tinypool';

export interface WorkerPoolOptions {
  /** Max threads or processes; further calls wait. */
  max: number;
  runtime?: 'worker_threads' | 'child_process';
  env?: Record<string, string>;
  /** Called with the error of a thread or process that ended without a call. */
  onProblem?: (error: unknown) => void;
}

/** Thrown if the thread or process of a call could not start; the cause says why. */
export class CannotStart extends Error {}

const IDLE_MS = 60_000;

/**
 * A pool of threads or processes that run the default export of one module, one call each at a time. They start when a
 * call needs them, end after a minute without work, and never keep the process alive.
 */
export class WorkerPool<Request, Answer> {
  private readonly pool: Tinypool;
  /**
   * The queue of calls. Tinypool's own queue stalls after a thread has died or was ended, because it starts no other
   * until the next call.
   */
  private readonly inTurn: <T>(call: () => Promise<T>) => Promise<T>;
  /** Calls passed to Tinypool, oldest first: it starts them in this order. */
  private readonly given = new Set<AbortController>();

  constructor(module: URL, { max, runtime = 'worker_threads', env, onProblem }: WorkerPoolOptions) {
    this.inTurn = pLimit(max);
    this.pool = new Tinypool({
      filename: module.href,
      runtime,
      minThreads: 0,
      maxThreads: max,
      idleTimeout: IDLE_MS,
      serialization: 'advanced',
      ...(env && { env }),
    });
    // A thread or process ended before its first call: it could not start, and the waiting call would wait forever.
    this.pool.on('error', (error) => {
      onProblem?.(error);
      const { queueSize } = this.pool;
      if (queueSize > 0) for (const waiting of [...this.given].slice(-queueSize)) waiting.abort(error);
    });
  }

  /**
   * Calls the module. The buffers in `moved` are passed on without a copy: they are empty afterwards. Aborting `signal`
   * removes the call from the queue, or ends its thread or process immediately. Rejects with the reason of the signal,
   * the error of the module, `CannotStart`, or the error that ended the thread or process.
   */
  run(request: Request, signal?: AbortSignal, moved: readonly ArrayBuffer[] = []): Promise<Answer> {
    return untilAborted(
      this.inTurn(() => this.call(request, signal, moved)),
      signal,
    );
  }

  async close(): Promise<void> {
    await this.pool.destroy();
  }

  private async call(
    request: Request,
    signal: AbortSignal | undefined,
    moved: readonly ArrayBuffer[],
  ): Promise<Answer> {
    signal?.throwIfAborted();
    const cannotStart = new AbortController();
    this.given.add(cannotStart);
    try {
      const signals = signal ? [signal, cannotStart.signal] : [cannotStart.signal];
      return (await this.pool.run(request, { signal: AbortSignal.any(signals), transferList: [...moved] })) as Answer;
    } catch (error) {
      const { aborted, reason } = cannotStart.signal;
      throw aborted ? new CannotStart('the thread or process could not start', { cause: reason }) : error;
    } finally {
      this.given.delete(cannotStart);
    }
  }
}

/** Returns what a module answers so that these buffers of it are passed on without a copy. */
export function moving<T extends object>(answer: T, moved: readonly ArrayBuffer[]): T {
  return Tinypool.move({ [Tinypool.transferableSymbol]: moved, [Tinypool.valueSymbol]: answer } as never) as T;
}

/** Wraps a promise so that it also rejects when the signal aborts. */
export function untilAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
