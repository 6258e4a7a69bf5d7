import { sql } from 'kysely';
import { type Db, readOnly } from '../database.ts';

const SPEED_MS = 2_000;
const DISTANCES = 2_000;
const RUNS = 8;

/**
 * Measures how long the server takes for one distance of vectors with this many dimensions, in microseconds: the fastest
 * of a few runs, which read no table.
 */
export async function distanceMicroseconds(db: Db, dimensions: number): Promise<number> {
  const vector = (factor: number) => sql`
    (select array_agg(sin(${factor}::int * i)::real) from generate_series(1, ${dimensions}::int) i)::vector`;
  const runs: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    // The vectors are computed once, their distance for each row.
    const { rows } = await readOnly(db, SPEED_MS, (trx) =>
      sql<{ 'QUERY PLAN': [{ 'Execution Time': number }] }>`
        explain (analyze, timing off, format json)
        select sum((select ${vector(1)}) <-> (select ${vector(2)}))
        from generate_series(1, ${DISTANCES}::int)`.execute(trx),
    );
    runs.push(((rows[0]?.['QUERY PLAN'][0]['Execution Time'] ?? 0) * 1_000) / DISTANCES);
  }
  return Math.min(...runs);
}
