import { type SearchWait, searchTimeout } from '../store/search-clock.ts';

/** The time limit of one search. */
export interface SearchLimit {
  /** Aborted when the caller is gone. */
  signal: AbortSignal;
  /** Deadline of the search, as in `Date.now()`. */
  untilMs: number;
  /** Runs the call of the model; a timeout while it runs is attributed to the model. */
  model<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Runs the wait for a write in the same way. */
  write<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** Runs a search with a time limit. Error: `SearchTimeout` naming what it waited for, even if that does not stop. */
export async function withinTime<T>(
  { seconds, signal }: { seconds: number; signal: AbortSignal },
  search: (limit: SearchLimit) => Promise<T>,
): Promise<T> {
  const time = new AbortController();
  let waitsFor: SearchWait = 'database';
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(searchTimeout(waitsFor));
      time.abort();
    }, seconds * 1_000);
  });
  const during =
    (what: SearchWait) =>
    async <A>(call: (signal: AbortSignal) => Promise<A>) => {
      waitsFor = what;
      const answer = await call(AbortSignal.any([signal, time.signal]));
      waitsFor = 'database';
      return answer;
    };
  const untilMs = Date.now() + seconds * 1_000;
  const running = search({ signal, untilMs, model: during('model'), write: during('write') });
  try {
    return await Promise.race([running, timeUp]);
  } finally {
    clearTimeout(timer);
    running.catch(() => {}); // the rest of it ends by itself
  }
}
