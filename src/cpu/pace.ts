import { setImmediate } from 'node:timers/promises';

/** Work that takes longer than this lets others go first. */
const SLICE_MS = 8;

let turns: Promise<void> = Promise.resolve();

/**
 * Keeps long work from holding the event loop: `breathe` between its pieces waits, when they have taken 8 ms, until
 * everything else has had its turn. All who breathe share one queue, so that the pieces of many do not add up.
 */
export class Pace {
  private since = performance.now();

  async breathe(): Promise<void> {
    if (performance.now() - this.since < SLICE_MS) return;
    turns = turns.then(() => setImmediate());
    await turns;
    this.since = performance.now();
  }
}

/** `items.map(work)` that lets others go first between its items. Rejects when `signal` is aborted. */
export async function eachInTurn<T, R>(items: readonly T[], work: (item: T) => R, signal?: AbortSignal): Promise<R[]> {
  const pace = new Pace();
  const results: R[] = [];
  for (const item of items) {
    signal?.throwIfAborted();
    results.push(work(item));
    await pace.breathe();
  }
  return results;
}
