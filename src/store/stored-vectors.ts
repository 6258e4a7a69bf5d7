import { sql } from 'kysely';
import type { Vector } from '../contract/vectors.ts';
import { readVector, textArray } from './binary.ts';
import type { Db } from './database.ts';
import { tablesOf } from './partitions.ts';
import type { IndexRow } from './schema.ts';

interface WantedVectors {
  ids: readonly string[];
  keys: readonly string[];
}

/** Numbers of the vectors that one statement reads at most: 16 MB. */
const NUMBERS_AT_ONCE = 4_000_000;

/** Reads the vectors with these text keys among the parts of some objects, by key. */
export async function readStoredVectors(
  db: Db,
  { no, model: { dimensions } }: Pick<IndexRow, 'no' | 'model'>,
  { ids, keys }: WantedVectors,
): Promise<Map<string, Vector>> {
  const found = new Map<string, Vector>();
  const step = Math.max(1, Math.floor(NUMBERS_AT_ONCE / dimensions));
  for (let from = 0; from < keys.length; from += step) {
    const { rows } = await sql<{ key: string; bytes: Buffer }>`
      select distinct on (text_key) text_key as key, vector_send(embedding::vector) as bytes
      from ${tablesOf(no).parts}
      where index_no = ${no}
        and object_id = any(${textArray(ids)}::text[])
        and text_key = any(${textArray(keys.slice(from, from + step))}::text[]::uuid[])
      order by text_key`.execute(db);
    for (const { key, bytes } of rows) found.set(key, readVector(bytes));
  }
  return found;
}

/** Returns which of these text keys the parts of some objects have. */
export async function findStoredKeys(db: Db, indexNo: number, { ids, keys }: WantedVectors): Promise<string[]> {
  const { rows } = await sql<{ key: string }>`
    select distinct text_key as key
    from ${tablesOf(indexNo).parts}
    where index_no = ${indexNo}
      and object_id = any(${textArray(ids)}::text[])
      and text_key = any(${textArray(keys)}::text[]::uuid[])`.execute(db);
  return rows.map(({ key }) => key);
}
