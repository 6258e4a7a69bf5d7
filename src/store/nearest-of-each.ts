import { sql } from 'kysely';
import type { Vector } from '../contract/vectors.ts';
import { isDistributed } from './citus/layout.ts';
import type { Trx } from './database.ts';
import { nearestOfAll } from './nearest.ts';
import { byDistance, type Neighbor } from './neighborhood.ts';
import { tablesOf } from './partitions.ts';
import { vectorsParameter } from './protocol/object-parts.ts';
import type { IndexRow } from './schema.ts';
import { timeOf } from './time-of.ts';
import { comparable, storedVector } from './vector-expressions.ts';

export type NearObject = Pick<Neighbor, 'id' | 'distance'>;

/** Runs one statement of a long search, at once or when there is room for it; rejects to end the search. */
export type InPieces = <T>(statement: () => Promise<T>) => Promise<T>;

export interface NearestOfEach {
  vectors: readonly Vector[];
  limit: number;
  inPieces: InPieces;
  /** Duration of a statement to aim at. Default: long enough to plan rarely, short enough to stop soon. */
  statementMs?: number | undefined;
}

/** Without a bound yet, each part of the first blocks is near to every query, and all of these pairs are sorted. */
const FIRST_BLOCKS = 8;
const GROWTH = 4;
/** Planning takes some milliseconds: with fewer blocks it would be most of the work, on a machine that is busy. */
const MIN_BLOCKS = 128;
const STATEMENT_MS = 250;

/**
 * Finds for each vector what `nearestOfAll` finds without a filter, and reads the parts once for all of them. Needs a
 * transaction with one snapshot: the table is read in pieces. What has been found bounds the distance of what may still
 * be among the nearest, so that hardly any part of a later piece leaves Postgres.
 */
export async function nearestOfEach(
  trx: Trx,
  index: IndexRow,
  { vectors, limit, inPieces, statementMs = STATEMENT_MS }: NearestOfEach,
): Promise<NearObject[][]> {
  if (vectors.length === 0) return [];
  if (await isDistributed(trx)) return oneByOne(trx, index, { vectors, limit, inPieces });
  const encoded = await vectorsParameter(
    trx,
    vectors.map((vector) => comparable(index, vector)),
  );
  const best = vectors.map(() => new Nearest(limit));
  const blocks = await countBlocks(trx, index);
  // Compiling a statement with a condition for each vector takes longer than it saves.
  await sql`set local jit = off`.execute(trx);
  for (let from = 0, size = FIRST_BLOCKS; from < blocks; ) {
    const to = from + size;
    const piece = { from, to: to < blocks ? to : null };
    const bounds = best.map(({ bound }) => bound);
    const [found, tookMs] = await inPieces(() =>
      timeOf(() => nearestInBlocks(trx, index, { encoded, bounds, limit, piece })),
    );
    for (const { query, ...object } of found) best[query]?.add(object);
    from = to;
    size = Math.min(size * GROWTH, Math.max(MIN_BLOCKS, Math.ceil((size * statementMs) / tookMs)));
  }
  await sql`set local jit to default`.execute(trx);
  const results = best.map((nearest) => nearest.sorted());
  const isSearchable = await findSearchable(trx, index, results);
  for (const [at, objects] of results.entries()) {
    // Parts without an object that searches can find; they should not exist.
    if (objects.every(({ id }) => isSearchable.has(id))) continue;
    const found = await inPieces(() => nearestOfAll(trx, index, { vector: vectors[at] as Vector, limit }));
    results[at] = found.map(({ id, distance }) => ({ id, distance }));
  }
  return results;
}

/** The tables of a distributed index cannot be read in pieces by the places of their rows. */
async function oneByOne(
  trx: Trx,
  index: IndexRow,
  { vectors, limit, inPieces }: NearestOfEach,
): Promise<NearObject[][]> {
  const results: NearObject[][] = [];
  for (const vector of vectors) {
    const found = await inPieces(() => nearestOfAll(trx, index, { vector, limit }));
    results.push(found.map(({ id, distance }) => ({ id, distance })));
  }
  return results;
}

/** The nearest objects found so far, each with its nearest part. */
class Nearest {
  private readonly limit: number;
  private objects: NearObject[] = [];

  constructor(limit: number) {
    this.limit = limit;
  }

  add(object: NearObject): void {
    const before = this.objects.find(({ id }) => id === object.id);
    if (before) before.distance = Math.min(before.distance, object.distance);
    else this.objects.push(object);
  }

  /** What is farther away than this is not among the nearest. */
  get bound(): number {
    return this.sorted()[this.limit - 1]?.distance ?? Number.POSITIVE_INFINITY;
  }

  sorted(): NearObject[] {
    this.objects = this.objects.sort(byDistance).slice(0, this.limit);
    return this.objects;
  }
}

async function countBlocks(trx: Trx, index: IndexRow): Promise<number> {
  const { rows } = await sql<{ blocks: number }>`
    select pg_relation_size(${`reembed.parts_${index.no}`}::regclass) / current_setting('block_size')::int as blocks`.execute(
    trx,
  );
  return rows[0]?.blocks ?? 0;
}

interface Piece {
  from: number;
  /** Exclusive; null reads to the end of the table. */
  to: number | null;
}

/** Returns the nearest objects of each query by the parts in some blocks, up to the bound of the query. */
async function nearestInBlocks(
  trx: Trx,
  index: IndexRow,
  given: { encoded: Buffer | string[]; bounds: readonly number[]; limit: number; piece: Piece },
): Promise<(NearObject & { query: number })[]> {
  const { parts } = tablesOf(index.no);
  const { column, type, operator } = storedVector(index);
  const { from, to } = given.piece;
  const past = to === null ? sql`` : sql`and ctid < ${`(${to},0)`}::tid`;
  // Constants to the executor: a condition costs far less than a row of a join, and most parts pass none.
  const isNearAny = given.bounds.map((_, at) => {
    const query = sql`from queries where query = ${sql.lit(at)}`;
    return sql`vector ${operator} (select vector ${query}) <= (select bound ${query})`;
  });
  // offset 0: computes each part's vector once, and looks at each condition before the join.
  const { rows } = await sql<NearObject & { query: number }>`
    with queries as materialized (
      select (place - 1)::int as query, vector::${type} as vector, bound
      from unnest(${given.encoded}::vector[], ${given.bounds}::float8[]) with ordinality as given (vector, bound, place)
    )
    select query, id, distance
    from (
      select query, id, min(distance) as distance,
        row_number() over (partition by query order by min(distance), id) as place
      from (
        select id, vector
        from (
          select object_id as id, ${column} as vector
          from ${parts}
          where index_no = ${index.no} and ctid >= ${`(${from},0)`}::tid ${past}
          offset 0
        ) part
        where ${sql.join(isNearAny, sql` or `)}
        offset 0
      ) near
      cross join lateral (
        select query, near.vector ${operator} queries.vector as distance
        from queries
        where near.vector ${operator} queries.vector <= bound
        offset 0
      ) pair
      group by query, id
    ) ranked
    where place <= ${given.limit}`.execute(trx);
  return rows;
}

/** Returns the ids of the objects among the results that searches can find. */
async function findSearchable(
  trx: Trx,
  index: IndexRow,
  results: readonly (readonly NearObject[])[],
): Promise<Set<string>> {
  const ids = [...new Set(results.flat().map(({ id }) => id))];
  const { rows } = await sql<{ id: string }>`
    select object_id as id
    from ${tablesOf(index.no).objects}
    where index_no = ${index.no} and object_id = any(${ids}::text[]) and not deleted and not failed`.execute(trx);
  return new Set(rows.map(({ id }) => id));
}
