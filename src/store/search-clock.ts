import { sql } from 'kysely';
import { ReembedError } from '../contract/errors.ts';
import type { Trx } from './database.ts';

const WHAT_TOOK_LONG = {
  model: 'the embedding model did not answer',
  database: 'the database did not find the nearest objects',
  write: 'the write that the search follows has not ended',
} as const;

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

  constructor(untilMs: number | null) {
    this.untilMs = untilMs;
  }

  get isLimited(): boolean {
    return this.untilMs !== null;
  }

  /** Makes Postgres cancel each of the next statements at the deadline, or `beforeMs` before it. */
  async limit(trx: Trx, beforeMs = 0): Promise<void> {
    if (this.untilMs === null) return;
    const leftMs = Math.ceil(this.untilMs - Date.now()) - beforeMs;
    if (leftMs <= 0 && beforeMs === 0) throw searchTimeout('database');
    await sql`select set_config('statement_timeout', ${String(Math.max(1, leftMs))}, true)`.execute(trx);
  }
}
