import { sql } from 'kysely';
import { readVector } from './binary.ts';
import type { Db } from './database.ts';
import { readTables, tablesOf } from './partitions.ts';
import type { IndexRow } from './schema.ts';

/** Reads the first parts of an object that have a place in its text, with their vectors. Error: `IndexNotFound`. */
export async function readFirstParts(
  db: Db,
  index: IndexRow,
  { id, max }: { id: string; max: number },
): Promise<{ start: number; end: number; vector: Float32Array }[]> {
  const read = sql<{ start: number; end: number; bytes: Uint8Array }>`
    select lower(text_range) as start, upper(text_range) as end, vector_send(embedding::vector) as bytes
    from ${tablesOf(index.no).parts}
    where index_no = ${index.no} and object_id = ${id} and not is_average and text_range is not null
    order by part
    limit ${max}`;
  const { rows } = await readTables(index, () => read.execute(db));
  return rows.map(({ start, end, bytes }) => ({ start, end, vector: readVector(bytes) }));
}
