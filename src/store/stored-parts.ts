import { sql } from 'kysely';
import { bigintArray, readVector, textArray } from './binary.ts';
import type { Db } from './database.ts';
import { tablesOf } from './partitions.ts';

/** A stored part, without the average. A part without a text has no place. */
export interface StoredPart {
  start: number | null;
  end: number | null;
  /** Empty if it was not asked for. */
  embedding: Float32Array;
}

type Wanted = readonly { id: string; version: number }[];

/** The bytes of all vectors of each object. */
export async function weighParts(db: Db, indexNo: number, ids: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await sql<{ id: string; bytes: number }>`
    select object_id as id, sum(vector_dims(embedding) * 4)::float8 as bytes
    from ${tablesOf(indexNo).parts}
    where index_no = ${indexNo} and object_id = any(${textArray(ids)}::text[])
    group by object_id`.execute(db);
  return new Map(rows.map(({ id, bytes }) => [id, bytes]));
}

/**
 * Reads the parts of objects that still have these versions; the others are missing from the result. An object without
 * parts has an empty list.
 */
export async function readParts(
  db: Db,
  indexNo: number,
  wanted: Wanted,
  { vectors }: { vectors: boolean },
): Promise<Map<string, StoredPart[]>> {
  const { objects, parts } = tablesOf(indexNo);
  const { rows } = await sql<{
    id: string;
    part: number | null;
    start: number | null;
    end: number | null;
    vector: Uint8Array | null;
  }>`
    select o.object_id as id, p.part, lower(p.text_range) as start, upper(p.text_range) as end,
      ${vectors ? sql`vector_send(p.embedding::vector)` : sql`null::bytea`} as vector
    from unnest(
      ${textArray(wanted.map(({ id }) => id))}::text[],
      ${bigintArray(wanted.map(({ version }) => version))}::bigint[]
    ) as wanted (id, version)
    join ${objects} o
      on o.index_no = ${indexNo} and o.object_id = wanted.id and o.version = wanted.version and not o.deleted
    left join ${parts} p on p.index_no = ${indexNo} and p.object_id = o.object_id and not p.is_average
    order by o.object_id, p.part`.execute(db);
  const found = new Map<string, StoredPart[]>();
  for (const { id, part, start, end, vector } of rows) {
    const list = found.get(id) ?? [];
    found.set(id, list);
    if (part !== null) list.push({ start, end, embedding: vector ? readVector(vector) : new Float32Array() });
  }
  return found;
}
