import { type RawBuilder, sql } from 'kysely';
import { jsonBytes } from '../contract/json.ts';

/** Max weight of the rows of one read, in the bytes of `storedWeight`. */
export const MAX_READ_WEIGHT = 4 * 1024 * 1024;
/** Max bytes of JSON that one read returns; its first row may be larger. */
export const MAX_READ_BYTES = 8 * 1024 * 1024;

/** Decompression makes text a few times larger, at most about ninety times. The full size is known only afterwards. */
const COMPRESSED_FACTOR = 32;

/** Returns SQL for the bytes that Postgres stores for a column of JSON. Compressed bytes count 32 times. */
export function storedWeight(column: RawBuilder<unknown>): RawBuilder<number> {
  const factor = sql`case when pg_column_compression(${column}) is null then 1 else ${sql.lit(COMPRESSED_FACTOR)} end`;
  return sql`coalesce(pg_column_size(${column}) * ${factor}, 0)`;
}

/** Returns the first rows that have at most `MAX_READ_BYTES` of JSON together, but at least one. */
export function firstBytes<T>(rows: T[], jsonOf: (row: T) => unknown): T[] {
  let bytes = 0;
  const past = rows.findIndex((row, at) => {
    bytes += jsonBytes(jsonOf(row));
    return at > 0 && bytes > MAX_READ_BYTES;
  });
  return past === -1 ? rows : rows.slice(0, past);
}

/**
 * Cuts rows, of which there is one more than `limit` unless they are the last ones, to one page: at most `limit` of
 * them with at most `bytes` together, but at least one. `sum` is the size of a row and all before it.
 */
export function cutPage<T extends { sum: number }>(
  rows: readonly T[],
  { limit, bytes }: { limit: number; bytes: number },
): { page: Omit<T, 'sum'>[]; isLast: boolean } {
  const past = rows.findIndex(({ sum }, at) => at > 0 && (at === limit || sum > bytes));
  const page = (past === -1 ? rows : rows.slice(0, past)).map(({ sum: _sum, ...row }) => row);
  return { page, isLast: past === -1 };
}
