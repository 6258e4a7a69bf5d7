import { setTimeout as sleep } from 'node:timers/promises';

export interface Sample<T> {
  /** Undefined if it could not be read in time. */
  value: T | undefined;
  seconds: number;
}

/** A read that hangs for this long is abandoned: its connection may be dead while new ones work. */
const GIVE_UP_MS = 15_000;

/**
 * Creates a function that reads a value at most every `maxAgeMs`, however many callers ask and how often, and returns
 * within `limitMs`. Never rejects.
 */
export function createSampler<T>(
  read: () => Promise<T>,
  { maxAgeMs, limitMs, onError }: { maxAgeMs: number; limitMs: number; onError?: (error: unknown) => void },
): () => Promise<Sample<T>> {
  let current: { startMs: number; sample: Promise<Sample<T>>; over: boolean } | undefined;
  const take = () => {
    const startMs = Date.now();
    const seconds = () => (Date.now() - startMs) / 1_000;
    const sample = read().then(
      (value) => ({ value, seconds: seconds() }),
      (error: unknown) => {
        onError?.(error);
        return { value: undefined, seconds: seconds() };
      },
    );
    const taken = { startMs, sample, over: false };
    void sample.then(() => {
      taken.over = true;
    });
    return taken;
  };
  return async () => {
    const ageMs = current ? Date.now() - current.startMs : Number.POSITIVE_INFINITY;
    if (!current || ageMs > (current.over ? maxAgeMs : GIVE_UP_MS)) current = take();
    const late = { value: undefined, seconds: limitMs / 1_000 };
    return Promise.race([current.sample, sleep(limitMs, late, { ref: false })]);
  };
}
