/// <reference lib="esnext.disposable" preserve="true" />
import { ReembedError } from '../../contract/errors.ts';
import type { DeletionInput, ItemInput } from '../tasks.ts';
import { Backlog, type Batch } from './backlog.ts';
import { createDeliver, type Deliver, type DeliverOptions } from './deliver.ts';
import { type Pending, prepare } from './operation.ts';
import { type BulkOptions, type CheckedOptions, checkOptions } from './options.ts';
import type { BulkOperation, BulkReport, BulkSummary } from './report.ts';
import { Bell } from './signal.ts';

type Report = (report: BulkReport) => void | Promise<void>;

/** Shared promise for operations that are accepted immediately. */
const TAKEN = Promise.resolve();

/**
 * Upserts and deletes any number of objects, in batches of one task each, several at a time. Operations on one object
 * keep their order, and so do a deletion and objects derived from the deleted one by `originalId`; with several levels,
 * call `flush` in between. Memory use is constant: the batches in flight and one more.
 */
export class Bulk {
  readonly #options: CheckedOptions;
  readonly #backlog: Backlog;
  readonly #deliver: Deliver;
  readonly #reports: Report[] = [];
  readonly #flights = new Set<Batch>();
  readonly #bell = new Bell();
  readonly #stop = new AbortController();
  readonly #release: () => void;
  readonly #startMs = performance.now();
  readonly #summary: BulkSummary = {
    operations: 0,
    done: 0,
    accepted: 0,
    failed: 0,
    written: 0,
    unchanged: 0,
    stale: 0,
    batches: 0,
    bytes: 0,
    retries: 0,
    seconds: 0,
  };
  /** Number of the latest operation. */
  #number = 0;
  /** Operations up to this number are sent without waiting for a full batch. */
  #flushTo = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tail = TAKEN;
  /** Operations that were pushed but not accepted yet. */
  #waiting = 0;
  #closed = false;
  #isCallerAware = false;

  constructor(options: BulkOptions, calls: Pick<DeliverOptions, 'run' | 'failedItems'>) {
    this.#options = checkOptions(options);
    this.#backlog = new Backlog(this.#options);
    this.#deliver = createDeliver({
      ...calls,
      options: this.#options,
      signal: this.#stop.signal,
      summary: this.#summary,
      onTooLarge: (bytes) => this.#backlog.shrink(bytes),
    });
    if (options.onReport) this.#reports.push(options.onReport);
    const { signal } = options;
    const onAbort = () => this.#halt(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#release = () => signal?.removeEventListener('abort', onAbort);
    if (signal?.aborted) onAbort();
  }

  /** Counts so far. */
  get summary(): BulkSummary {
    const seconds = this.#summary.seconds || (performance.now() - this.#startMs) / 1_000;
    return { ...this.#summary, seconds };
  }

  /** Same as `push({ upsert: item })`. */
  upsert(item: ItemInput): Promise<void> {
    return this.push({ upsert: item });
  }

  /** Same as `push({ delete: id })`. */
  delete(id: DeletionInput): Promise<void> {
    return this.push({ delete: id });
  }

  /**
   * Accepts a copy of an operation. Resolves once there is room for it, not when it is written: its outcome is
   * reported, even if it is invalid. Rejects only after `close`, an abort, or an error of `onReport`.
   */
  push(operation: BulkOperation): Promise<void> {
    if (this.#closed) return Promise.reject(new ReembedError('InvalidInput', 'cannot push after close'));
    const prepared = prepare(operation);
    const isFree = this.#waiting === 0 && !this.#backlog.isFull && !this.#stop.signal.aborted;
    if (isFree && !('status' in prepared)) return this.#take(prepared);
    this.#waiting++;
    const taken = this.#tail
      .then(async () => {
        while (this.#backlog.isFull && !this.#stop.signal.aborted) await this.#bell.next();
        this.#throwIfStopped();
        if ('status' in prepared) await this.#report(prepared)?.catch((error) => this.#fail(error));
        else await this.#take(prepared);
      })
      .finally(() => {
        this.#waiting--;
      });
    this.#tail = taken.catch(() => {});
    return taken;
  }

  #take(operation: Pending): Promise<void> {
    this.#backlog.add(Object.assign(operation, { number: ++this.#number }));
    // A caller that awaits only pushes would otherwise never let the requests be sent.
    return this.#pump() ? new Promise((resolve) => setTimeout(resolve)) : TAKEN;
  }

  /** Sends everything pushed so far, and resolves once all of it has been reported. */
  async flush(): Promise<void> {
    await this.#tail;
    const to = this.#number;
    this.#flushTo = Math.max(this.#flushTo, to);
    this.#pump();
    while (this.#oldest() <= to && !this.#stop.signal.aborted) await this.#bell.next();
    this.#throwIfStopped();
  }

  /** Accepts no more operations, and resolves once all have been reported. */
  async close(): Promise<BulkSummary> {
    this.#closed = true;
    try {
      await this.flush();
    } finally {
      this.#release();
      this.#summary.seconds ||= (performance.now() - this.#startMs) / 1_000;
    }
    return this.summary;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The error that stopped it has already been thrown to the caller.
    if (!this.#isCallerAware) await this.close();
  }

  /**
   * Pushes all `operations`, closes, and yields the outcome of each. Reading pauses while too much is in flight or
   * reports are not consumed. Leaving the loop stops everything: operations without a report may or may not be written.
   *
   * @example
   * for await (const report of bulk.run(operations)) if (report.status === 'failed') putAside(report.operation);
   */
  async *run(operations: AsyncIterable<BulkOperation> | Iterable<BulkOperation>): AsyncGenerator<BulkReport> {
    const offered: { report: BulkReport; take: () => void }[] = [];
    const bell = new Bell();
    this.#reports.push((report) => {
      return new Promise((take) => {
        offered.push({ report, take });
        bell.ring();
      });
    });
    let feeding = true;
    const feed = async () => {
      for await (const operation of operations) await this.push(operation);
      await this.close();
    };
    const fed = feed().finally(() => {
      feeding = false;
      bell.ring();
    });
    fed.catch(() => {}); // thrown below
    let isOver = false;
    try {
      while (feeding || offered.length > 0) {
        const next = offered.shift();
        if (next) {
          next.take();
          yield next.report;
        } else await bell.next();
      }
      isOver = true;
      await fed;
    } finally {
      if (!isOver) {
        this.#halt(new ReembedError('InvalidInput', 'the loop over the reports was left early'));
        this.#isCallerAware = true; // the caller left the loop itself
      }
    }
  }

  /** Sends batches that are due, up to `concurrency`. Returns true if it sent any. */
  #pump(): boolean {
    let hasSent = false;
    while (
      !this.#stop.signal.aborted &&
      this.#flights.size < this.#options.concurrency &&
      (this.#backlog.isFull || this.#backlog.first <= this.#flushTo)
    ) {
      const batch = this.#backlog.take([...this.#flights].map(({ claims }) => claims));
      if (!batch) break;
      this.#flights.add(batch);
      void this.#fly(batch);
      hasSent = true;
    }
    this.#setTimer();
    this.#bell.ring();
    return hasSent;
  }

  #setTimer(): void {
    if (this.#backlog.first === Number.POSITIVE_INFINITY || this.#stop.signal.aborted) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#flushTo = this.#number;
      this.#pump();
    }, this.#options.flushIntervalMs);
  }

  async #fly(batch: Batch): Promise<void> {
    try {
      for (const report of await this.#deliver(batch.op, batch.operations)) {
        const passed = this.#report(report);
        if (passed) await passed;
      }
    } catch (error) {
      this.#halt(error);
    }
    this.#flights.delete(batch);
    this.#pump();
  }

  /** Counts a report and passes it to the listeners; creates no promise if there are none. */
  #report(report: BulkReport): Promise<void> | undefined {
    this.#summary.operations++;
    this.#summary[report.status]++;
    return this.#reports.length === 0 ? undefined : this.#pass(report);
  }

  async #pass(report: BulkReport): Promise<void> {
    for (const listener of this.#reports) await listener(report);
  }

  /** The number of the oldest operation that has not been reported. */
  #oldest(): number {
    const flying = [...this.#flights].map(({ operations }) => operations[0]?.number ?? Number.POSITIVE_INFINITY);
    return Math.min(this.#backlog.first, ...flying);
  }

  #halt(reason: unknown): void {
    this.#release();
    this.#stop.abort(reason);
    this.#setTimer();
    this.#bell.ring();
  }

  #fail(error: unknown): never {
    this.#halt(error);
    this.#throwIfStopped();
    throw error;
  }

  #throwIfStopped(): void {
    if (!this.#stop.signal.aborted) return;
    this.#isCallerAware = true;
    throw this.#stop.signal.reason;
  }
}
