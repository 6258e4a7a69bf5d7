import { messageOf } from '../../contract/errors.ts';
import { DelayedFlush } from '../delayed-flush.ts';
import type { ApiLog } from '../problems.ts';

export interface SumBatchOptions {
  /** What is counted, for the log. */
  what: string;
  store: (lock: string, counts: ReadonlyMap<string, number>) => Promise<void>;
  log: ApiLog;
}

/** Counts of this process by lock and by name, which are added to the sums in the database every two seconds. */
export class SumBatch {
  readonly #options: SumBatchOptions;
  #counts = new Map<string, Map<string, number>>();
  readonly #flush = new DelayedFlush(() => this.#flushOnce());

  constructor(options: SumBatchOptions) {
    this.#options = options;
  }

  add(lock: string, name: string, value: number): void {
    const counts = this.#counts.get(lock) ?? new Map<string, number>();
    this.#counts.set(lock, counts);
    counts.set(name, (counts.get(name) ?? 0) + value);
    this.#flush.schedule();
  }

  /** Adds everything counted so far to the sums. What could not be added is added with the next counts. */
  flush(): Promise<void> {
    return this.#flush.now();
  }

  async #flushOnce(): Promise<void> {
    const { what, store, log } = this.#options;
    const counted = this.#counts;
    this.#counts = new Map();
    for (const [lock, counts] of counted) {
      try {
        await store(lock, counts);
      } catch (error) {
        log.warn({ error: messageOf(error) }, `the figures of ${what} could not be stored`);
        const kept = this.#counts.get(lock) ?? new Map<string, number>();
        for (const [name, value] of counts) kept.set(name, (kept.get(name) ?? 0) + value);
        this.#counts.set(lock, kept);
      }
    }
  }
}
