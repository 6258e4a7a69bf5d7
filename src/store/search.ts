import { sql } from 'kysely';
import { ReembedError } from '../contract/errors.ts';
import type { Hit } from '../contract/objects.ts';
import type { Vector } from '../contract/vectors.ts';
import { type Db, type Trx, transaction } from './database.ts';
import { readTables, tablesOf } from './partitions.ts';
import { vectorText } from './protocol/parts.ts';
import type { IndexRow } from './schema.ts';
import { vectorExpression, vectorIndexKind } from './vector-index.ts';

export interface SearchRequest {
  vector: Vector;
  limit: number;
  filter?: Record<string, unknown> | undefined;
  /** Scan all parts instead of using the HNSW index. */
  exact?: boolean;
}

const MAX_EF_SEARCH = 1_000;

/**
 * The nearest objects, best first, each once with its best part. An object has several parts, so the nearest parts are
 * read in growing numbers until there are enough objects; with a filter, pgvector goes on scanning the HNSW index
 * until enough parts pass it. Errors: `InvalidInput` for a vector of another dimension, `IndexNotFound`.
 */
export async function searchParts(db: Db, index: IndexRow, request: SearchRequest): Promise<Hit[]> {
  const { dimensions } = index.model;
  if (request.vector.length !== dimensions) {
    throw new ReembedError(
      'InvalidInput',
      `the vector has ${request.vector.length} dimensions, ${index.name} has ${dimensions}`,
      {
        issues: [{ path: 'vector', message: `must have ${dimensions} numbers` }],
      },
    );
  }
  const search = async (trx: Trx) => {
    const way = request.exact ? ['enable_indexscan', 'off'] : ['hnsw.iterative_scan', 'strict_order'];
    for (let take = request.limit * 2 + 10; ; take *= 4) {
      const width = String(Math.min(MAX_EF_SEARCH, Math.max(40, take)));
      await sql`
        select set_config(${way[0]}, ${way[1]}, true), set_config('hnsw.ef_search', ${width}, true)`.execute(trx);
      const parts = await nearestParts(trx, index, request, take);
      const best = new Map<string, Hit>();
      for (const hit of parts) if (!best.has(hit.id)) best.set(hit.id, hit);
      if (best.size >= request.limit || parts.length < take) return [...best.values()].slice(0, request.limit);
    }
  };
  return readTables(index, () => transaction(db, search));
}

async function nearestParts(trx: Trx, index: IndexRow, request: SearchRequest, take: number): Promise<Hit[]> {
  const { objects, parts } = tablesOf(index.no);
  const { column, type, operator } = vectorExpression(index);
  const query = sql`${vectorText(request.vector)}::${type}`;
  const passes = request.filter
    ? sql`and exists (
        select from ${objects} f
        where f.index_no = ${index.no} and f.object_id = p.object_id and not f.deleted and f.metadata @> ${JSON.stringify(request.filter)}::jsonb
      )`
    : sql``;
  const { rows } = await sql<Hit & { distance: number }>`
    select o.object_id as id, nearest.distance, nearest.part, o.version, o.payload, o.metadata
    from (
      select p.object_id, case when p.is_average then null else p.part end as part, ${column} ${operator} ${query} as distance
      from ${parts} p
      where true ${passes}
      order by ${column} ${operator} ${query}
      limit ${take}
    ) nearest
    join ${objects} o on o.index_no = ${index.no} and o.object_id = nearest.object_id and not o.deleted
    where nearest.distance <> 'NaN' -- the angle to a vector of zeros
    order by nearest.distance, o.object_id`.execute(trx);
  return rows.map(({ distance, ...hit }) => ({ ...hit, score: scoreOf(index, distance) }));
}

/** pgvector's distances are smaller for nearer; scores are larger. */
function scoreOf(index: IndexRow, distance: number): number {
  return index.metric === 'cosine' ? 1 - distance : -distance;
}

/**
 * The share of the exact neighbours of a few stored vectors that a search through the HNSW index finds as well; null
 * where there is nothing to compare.
 */
export async function measureRecall(
  db: Db,
  index: IndexRow,
  sample: { vectors: number; limit: number },
): Promise<number | null> {
  if (vectorIndexKind(index.model.dimensions) === 'none') return null;
  const { rows } = await sql<{ embedding: string }>`
    select embedding::text from ${tablesOf(index.no).parts} limit ${sample.vectors}`.execute(db);
  let found = 0;
  let wanted = 0;
  for (const { embedding } of rows) {
    const vector: number[] = JSON.parse(embedding);
    const exact = await searchParts(db, index, { vector, limit: sample.limit, exact: true });
    const hits = await searchParts(db, index, { vector, limit: sample.limit });
    const worst = exact.at(-1)?.score ?? 0;
    wanted += exact.length;
    // By score, not by id: of several equally near objects either answer is right.
    found += Math.min(exact.length, hits.filter((hit) => hit.score >= worst - 1e-4).length);
  }
  return wanted === 0 ? null : Math.round((found / wanted) * 1_000) / 1_000;
}
