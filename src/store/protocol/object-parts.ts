import { sql } from 'kysely';
import type { Vector } from '../../contract/vectors.ts';
import { booleanArray, intArray, textArray, vectorArray } from '../binary.ts';
import type { Trx } from '../database.ts';
import { fittingText } from '../full-text/fitting.ts';
import { regconfigOf, spaced } from '../full-text/words.ts';
import { tablesOf } from '../partitions.ts';
import type { ObjectWrite, WritePart } from './object-write.ts';

/** Inserts the parts of the objects that were written. */
export async function insertParts(
  trx: Trx,
  indexNo: number,
  objects: readonly ObjectWrite[],
  written: ReadonlySet<string>,
): Promise<void> {
  const ids: string[] = [];
  const parts: WritePart[] = [];
  for (const object of objects) {
    if (object.kind !== 'content' || !written.has(object.id)) continue;
    for (const part of object.parts) {
      ids.push(object.id);
      parts.push(part);
    }
  }
  if (parts.length === 0) return;
  const words = await wordsOf(trx, parts);
  await sql`
    insert into ${tablesOf(indexNo).parts} (index_no, object_id, part, is_average, text_range, embedding, text_key ${words.column})
    select ${indexNo}::int, id, part, is_average, int4range(first, past), embedding, text_key::uuid ${words.value}
    from unnest(
      ${textArray(ids)}::text[],
      ${intArray(parts.map((part) => part.part))}::int[],
      ${booleanArray(parts.map((part) => part.isAverage))}::boolean[],
      ${intArray(parts.map((part) => part.start))}::int[],
      ${intArray(parts.map((part) => part.end))}::int[],
      ${await vectorsParameter(
        trx,
        parts.map((part) => part.embedding),
      )}::vector[],
      ${textArray(parts.map((part) => part.textKey ?? null))}::text[]
      ${words.parameters}
    ) as incoming (id, part, is_average, first, past, embedding, text_key ${words.names})`.execute(trx);
}

/** The statement's pieces for full text; empty without it. */
async function wordsOf(trx: Trx, parts: readonly WritePart[]) {
  if (!parts.some(({ words }) => words)) return { column: sql``, value: sql``, parameters: sql``, names: sql`` };
  const texts: (string | null)[] = [];
  for (const { words } of parts) {
    texts.push(words ? await fittingText(trx, spaced(words.text), words.language) : null);
  }
  return {
    column: sql`, words`,
    value: sql`, to_tsvector(language::regconfig, words)`,
    parameters: sql`,
      ${textArray(parts.map(({ words }) => (words ? regconfigOf(words.language) : null)))}::text[],
      ${textArray(texts)}::text[]`,
    names: sql`, language, words`,
  };
}

export async function deleteParts(trx: Trx, indexNo: number, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    delete from ${tablesOf(indexNo).parts}
    where index_no = ${indexNo} and object_id = any(${textArray(ids)}::text[])`.execute(trx);
}

/** From this many vectors on, looking up the type's oid costs less than printing and parsing the vectors. */
const MANY = 8;

/** Encodes a parameter; the statement names its type: `${await vectorsParameter(trx, vectors)}::vector[]`. */
export async function vectorsParameter(trx: Trx, vectors: readonly Vector[]): Promise<Buffer | string[]> {
  if (vectors.length < MANY) return vectors.map(vectorText);
  const { rows } = await sql<{ oid: number }>`select 'vector'::regtype::oid as oid`.execute(trx);
  return vectorArray(vectors, (rows[0] as { oid: number }).oid);
}

/** Formats a vector in pgvector's text form. */
export function vectorText(vector: Vector): string {
  return `[${vector.join(',')}]`;
}
