import { LIMITS } from '../../contract/limits.ts';
import type { Search, SearchResult } from '../../contract/objects.ts';
import { sampledTextSchema } from '../../contract/sampling.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import type { Db } from '../../store/database.ts';
import { addSampledSearches, type NewSampledSearch } from '../../store/sampled-searches.ts';
import { codeOf } from '../../store/sqlstate.ts';
import { DelayedFlush } from '../delayed-flush.ts';
import type { ApiLog } from '../problems.ts';

/** Searches, and characters of their texts and ids, that wait in memory to be stored; further ones are dropped. */
const MAX_WAITING = 500;
const MAX_WAITING_CHARS = 4 * 1024 * 1024;

export interface SamplerDependencies {
  db: Db;
  metrics?: Metrics | undefined;
  log: ApiLog;
  /** Returns a number from 0 to below 1; default: a random one. */
  draw?: (() => number) | undefined;
}

/** A search that was answered. */
export interface Answered {
  /** The name that it was sent to. */
  alias: string;
  request: Search;
  result: SearchResult;
}

/**
 * Keeps a share of the searches of one process. They are stored after their answers, in batches; what cannot be stored
 * is dropped and counted. Nothing of a search gets into a log, an error or a metric.
 */
export class SearchSampler {
  readonly #db: Db;
  readonly #metrics: Metrics | undefined;
  readonly #log: ApiLog;
  readonly #draw: () => number;
  #waiting: { search: Omit<NewSampledSearch, 'ageSeconds'>; atMs: number }[] = [];
  #chars = 0;
  readonly #flush = new DelayedFlush(() => this.#flushOnce());

  constructor({ db, metrics, log, draw = Math.random }: SamplerDependencies) {
    this.#db = db;
    this.#metrics = metrics;
    this.#log = log;
    this.#draw = draw;
  }

  /** Keeps a search by text with the probability `share`. Takes no time and cannot fail. */
  offer(share: number, { alias, request, result }: Answered): void {
    const { text, limit, filter } = request;
    if (share === 0 || text === undefined || this.#draw() >= share) return;
    if (!sampledTextSchema.safeParse(text).success) {
      this.#count('skipped', 1);
      return;
    }
    const ids = new Set(result.hits.map(({ id }) => id)); // parts of one object are one hit
    const hits = [...ids].slice(0, LIMITS.evaluationDepth);
    const chars = hits.reduce((sum, id) => sum + id.length, text.length);
    if (this.#waiting.length >= MAX_WAITING || this.#chars + chars > MAX_WAITING_CHARS) {
      this.#count('dropped', 1);
      return;
    }
    const search = { alias, text, index: result.index, limit, filtered: filter !== undefined, hits };
    this.#waiting.push({ search, atMs: performance.now() });
    this.#chars += chars;
    this.#flush.schedule();
  }

  /** Stores everything kept so far. */
  flush(): Promise<void> {
    return this.#flush.now();
  }

  async #flushOnce(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const nowMs = performance.now();
    const searches = this.#waiting.map(({ search, atMs }) => ({ ...search, ageSeconds: (nowMs - atMs) / 1_000 }));
    this.#waiting = [];
    this.#chars = 0;
    try {
      // Fewer than given if an alias has ended its sampling.
      this.#count('stored', await addSampledSearches(this.#db, searches));
    } catch (error) {
      this.#count('failed', searches.length);
      // Without the message, which may quote what was stored.
      this.#log.warn(
        { searches: searches.length, code: codeOf(error) ?? null },
        'sampled searches could not be stored and are dropped',
      );
    }
  }

  #count(outcome: 'stored' | 'dropped' | 'failed' | 'skipped', searches: number): void {
    this.#metrics?.sampledSearches.inc({ outcome }, searches);
  }
}
