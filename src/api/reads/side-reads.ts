import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import { ReembedError } from '../../contract/errors.ts';
import type { Search, SearchResult } from '../../contract/objects.ts';
import { overlapAt } from '../../evaluation/unjudged.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import type { Db } from '../../store/database.ts';
import type { Reads, Resolved } from '../../store/protocol/reads.ts';
import type { IndexRow } from '../../store/schema.ts';
import type { SearchModels } from '../embed-query.ts';
import type { ApiLog } from '../problems.ts';
import { type SearchOptions, searchIndex } from '../search-index.ts';
import { type SearchLimit, withinTime } from '../search-limit.ts';
import { isGone } from '../with-index.ts';
import { Figures, type Part } from './figures.ts';
import { isForCanary } from './is-for-canary.ts';
import { WatchFigures } from './watch-figures.ts';

/** Searches of shadows that one process runs at once, and that wait for that; further ones are dropped. */
const SHADOWS_AT_ONCE = 2;
const SHADOWS_WAITING = 20;
const SHADOW_SECONDS = 10;
/** A canary has half of the time of a search, and at most this: the rest is for the serving index. */
const CANARY_SECONDS = 2;
const CLOSE_MS = 1_000;

const CANARY = { serving: ['canary', 'serving'], other: ['canary', 'other'] } as const satisfies Record<string, Part>;
const SHADOW = { serving: ['shadow', 'serving'], other: ['shadow', 'other'] } as const satisfies Record<string, Part>;

export interface SideReadsDependencies {
  db: Db;
  models: SearchModels;
  metrics?: Metrics | undefined;
  log: ApiLog;
  /** Returns a number from 0 to below 1; default: a random one. */
  draw?: (() => number) | undefined;
}

interface How extends SearchOptions {
  key: string | undefined;
  limit: SearchLimit;
}

/**
 * The shadow and canary reads of one process, and the figures of watched indexes. Errors of the other index reach nobody:
 * they are counted.
 */
export class SideReads {
  readonly #dependencies: SideReadsDependencies;
  readonly #draw: () => number;
  readonly #figures: Figures;
  readonly #watched: WatchFigures;
  readonly #shadows = pLimit(SHADOWS_AT_ONCE);
  readonly #running = new Set<Promise<void>>();
  readonly #ended = new AbortController();

  constructor(dependencies: SideReadsDependencies) {
    this.#dependencies = dependencies;
    this.#draw = dependencies.draw ?? Math.random;
    this.#figures = new Figures(dependencies);
    this.#watched = new WatchFigures(dependencies);
  }

  /** What embeds the texts. */
  get models(): SearchModels {
    return this.#dependencies.models;
  }

  /**
   * Searches the serving index or, for the share of a canary, the other one. A shadow searches the other one too, after
   * the answer. `key` decides about the canary if the caller gives one.
   */
  async search(
    { index, reads, watch }: Resolved,
    request: Search,
    { key, limit, ...options }: How,
  ): Promise<SearchResult> {
    if (!reads && watch === undefined) return searchIndex(this.#dependencies, index, request, limit, options);
    let isRefused = false;
    if (reads && isForCanary(reads.canary, key, this.#draw)) {
      const tried = await this.#tryCanary(reads, index, request, { limit, ...options });
      if ('result' in tried) return tried.result;
      ({ isRefused } = tried);
    }
    const canary = reads && reads.canary > 0 ? reads : undefined;
    try {
      const served = await (watch === undefined
        ? this.#timed(index, request, limit, options)
        : this.#inTime(index, request, limit, options));
      if (watch !== undefined) this.#watched.answered(watch, served);
      if (canary) this.#figures.answered(canary.lock, CANARY.serving, served);
      // It is no mistake of the caller then.
      if (canary && isRefused) this.#figures.failed(canary.lock, CANARY.other);
      if (reads && this.#draw() < reads.shadow) this.#startShadow(reads, index, request, served);
      return served.result;
    } catch (error) {
      if (canary && !limit.signal.aborted) this.#noteFailure(canary, CANARY.serving, error);
      if (watch !== undefined && !limit.signal.aborted && isFailure(error)) this.#watched.failed(watch);
      throw error;
    }
  }

  /** Ends running shadows and stores all figures. */
  async close(): Promise<void> {
    this.#ended.abort();
    await Promise.race([Promise.all(this.#running), delay(CLOSE_MS, undefined, { ref: false })]);
    await Promise.all([this.#figures.flush(), this.#watched.flush()]);
  }

  /**
   * Returns the answer of the canary. Without one, the serving index must answer; `isRefused`: the canary took the search
   * for a mistake of the caller.
   */
  async #tryCanary(
    reads: Reads,
    index: IndexRow,
    request: Search,
    { limit, ...options }: Omit<How, 'key'>,
  ): Promise<{ result: SearchResult } | { isRefused: boolean }> {
    const seconds = Math.min(CANARY_SECONDS, (limit.untilMs - Date.now()) / 2_000);
    try {
      if (!this.#isFit(reads, index, request, CANARY.other)) return { isRefused: false };
      const found = await withinTime({ seconds, signal: limit.signal }, (part) =>
        this.#timed(reads.other, request, part, options),
      );
      this.#figures.answered(reads.lock, CANARY.other, found);
      return { result: found.result };
    } catch (error) {
      if (limit.signal.aborted) throw error;
      this.#noteFailure(reads, CANARY.other, error);
      return { isRefused: isMistake(error) };
    }
  }

  #startShadow(reads: Reads, index: IndexRow, request: Search, { ids, ms, isEmpty }: Timed): void {
    if (!this.#isFit(reads, index, request, SHADOW.other)) return;
    if (this.#shadows.pendingCount >= SHADOWS_WAITING) {
      this.#figures.dropped(reads.lock);
      return;
    }
    // Without the hits, which may be large.
    const work = this.#shadows(() => this.#compare(reads, request, { ids, ms, isEmpty }));
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }

  async #compare(reads: Reads, request: Search, served: Timed): Promise<void> {
    const { signal } = this.#ended;
    if (signal.aborted) return;
    const { lock } = reads;
    try {
      const found = await withinTime({ seconds: SHADOW_SECONDS, signal }, (limit) =>
        this.#timed(reads.other, request, limit),
      );
      this.#figures.answered(lock, SHADOW.serving, served);
      this.#figures.answered(lock, SHADOW.other, found);
      this.#figures.overlapped(lock, overlapAt(served.ids, found.ids, request.limit));
    } catch (error) {
      // What the serving index has answered is no mistake of the caller.
      if (!signal.aborted && !isGone(error)) this.#figures.failed(lock, SHADOW.other);
    }
  }

  /** Whether the search means something to the other index: a vector of one model means nothing to another. */
  #isFit({ lock, other }: Reads, { model }: IndexRow, { vector }: Search, part: Part): boolean {
    if (other.state !== 'active') return false;
    if (vector === undefined || isDeepStrictEqual(model, other.model)) return true;
    this.#figures.skipped(lock, part);
    return false;
  }

  async #timed(
    index: IndexRow,
    request: Search,
    limit: SearchLimit,
    options?: SearchOptions,
  ): Promise<Timed & { result: SearchResult }> {
    const startMs = performance.now();
    const result = await searchIndex(this.#dependencies, index, request, limit, options);
    const ids = [...new Set(result.hits.map(({ id }) => id))];
    // A page after the last hit says nothing about the index.
    const isEmpty = ids.length === 0 && !request.offset;
    return { result, ids, isEmpty, ms: performance.now() - startMs };
  }

  /** Ends with its time even if the model does not, so that this is counted as a failure. */
  #inTime(index: IndexRow, request: Search, { untilMs, signal }: SearchLimit, options: SearchOptions) {
    const seconds = Math.max(0, untilMs - Date.now()) / 1_000;
    return withinTime({ seconds, signal }, (part) => this.#timed(index, request, part, options));
  }

  #noteFailure({ lock }: Reads, part: Part, error: unknown): void {
    if (isFailure(error)) this.#figures.failed(lock, part);
  }
}

/** How a search went. */
interface Timed {
  ids: string[];
  isEmpty: boolean;
  ms: number;
}

/** Whether an error counts as a failure of the index: not one of the caller, or because the index has been dropped. */
function isFailure(error: unknown): boolean {
  if (isGone(error)) return false;
  return !isMistake(error);
}

/** Whether an index refuses a search because of what the caller asks for. */
function isMistake(error: unknown): boolean {
  return error instanceof ReembedError && (error.type === 'InvalidInput' || error.type === 'ObjectNotFound');
}
