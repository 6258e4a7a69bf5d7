import { type RawBuilder, sql } from 'kysely';
import { ReembedError } from '../contract/errors.ts';
import type { Trx } from './database.ts';

const WHAT_TOOK_LONG = {
  model: 'the embedding model did not answer',
  database: 'the database did not find the nearest objects',
  write: 'the write that the search follows has not ended',
} as const;

/** How much later than the deadline a statement may be canceled. */
const KEPT_MS = 20;

/** What a search waits for. */
export type SearchWait = keyof typeof WHAT_TOOK_LONG;

/** Creates the error for a search whose model, database or preceding write took too long. */
export function searchTimeout(what: SearchWait, options: { cause?: unknown } = {}): ReembedError {
  const why = `${WHAT_TOOK_LONG[what]} within the time limit of the search`;
  return new ReembedError('SearchTimeout', why, { ...options, reason: what });
}

/** Keeps the statements of a transaction within the time limit of a search. */
export class SearchClock {
  private readonly untilMs: number | null;
  /** When the limit was set last, and how long before the deadline it ends. */
  private last: { setMs: number; beforeMs: number } | undefined;

  constructor(untilMs: number | null) {
    this.untilMs = untilMs;
  }

  get isLimited(): boolean {
    return this.untilMs !== null;
  }

  /**
   * Makes Postgres cancel each of the next statements at the deadline, or `beforeMs` before it. A limit that was set some
   * milliseconds ago is kept: setting it is a round trip.
   */
  async limit(trx: Trx, beforeMs = 0): Promise<void> {
    const setLimit = this.next(beforeMs);
    if (setLimit) await sql`select ${setLimit}`.execute(trx);
  }

  /** As `limit`, and reads a value in the same statement. */
  async limitAndRead<T>(trx: Trx, value: RawBuilder<T>): Promise<T> {
    const setLimit = this.next(0) ?? sql`null`;
    const { rows } = await sql<{ value: T }>`select ${setLimit} as limited, ${value} as value`.execute(trx);
    return (rows[0] as { value: T }).value;
  }

  /** Returns what sets the limit; undefined if it need not be set. */
  private next(beforeMs: number): RawBuilder<unknown> | undefined {
    if (this.untilMs === null) return undefined;
    const nowMs = Date.now();
    const leftMs = Math.ceil(this.untilMs - nowMs) - beforeMs;
    if (leftMs <= 0 && beforeMs === 0) throw searchTimeout('database');
    const { last } = this;
    if (last?.beforeMs === beforeMs && nowMs - last.setMs < KEPT_MS) return undefined;
    this.last = { setMs: nowMs, beforeMs };
    return sql`set_config('statement_timeout', ${String(Math.max(1, leftMs))}, true)`;
  }
}
