import { setImmediate } from 'node:timers/promises';

/** Work that takes longer than this yields. */
const SLICE_MS = 8;

let turns: Promise<void> = Promise.resolve();

/**
 * Keeps long work from blocking the event loop: call `breathe` between its pieces; after 8 ms of work it waits until
 * everything else has had its turn. All instances share one queue, so that their pieces do not add up.
 */
export class Pace {
  private since = performance.now();

  /** Whether `breathe` would wait. Asking first spares loops over many small items a promise for each. */
  get isDue(): boolean {
    return performance.now() - this.since >= SLICE_MS;
  }

  async breathe(): Promise<void> {
    if (!this.isDue) return;
    turns = turns.then(() => setImmediate());
    await turns;
    this.since = performance.now();
  }
}

/** Like `items.map(work)`, but yields between items. Rejects if `signal` is aborted. */
export async function eachInTurn<T, R>(items: readonly T[], work: (item: T) => R, signal?: AbortSignal): Promise<R[]> {
  const pace = new Pace();
  const results: R[] = [];
  for (const item of items) {
    signal?.throwIfAborted();
    results.push(work(item));
    if (pace.isDue) await pace.breathe();
  }
  return results;
}
