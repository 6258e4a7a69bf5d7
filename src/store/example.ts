import { sql } from 'kysely';
import { invalidField, ReembedError } from '../contract/errors.ts';
import type { Vector } from '../contract/vectors.ts';
import type { Db } from './database.ts';
import { readTables, tablesOf } from './partitions.ts';
import type { IndexRow } from './schema.ts';

interface Row {
  failed: boolean;
  /** As JSON; null without parts. */
  vector: string | null;
}

/**
 * Returns the vector of an object: that of its only part, or the average of its parts. Errors: `ObjectNotFound`,
 * `InvalidInput` naming `id` for an object without vectors, `IndexNotFound`.
 */
export async function vectorOfObject(db: Db, index: IndexRow, id: string): Promise<Vector> {
  const { objects, parts } = tablesOf(index.no);
  const { rows } = await readTables(index, () =>
    sql<Row>`
      select failed, (
        select coalesce(max(embedding::text) filter (where is_average), avg(embedding)::text)
        from ${parts}
        where index_no = ${index.no} and object_id = ${id}
      ) as vector
      from ${objects}
      where index_no = ${index.no} and object_id = ${id} and not deleted`.execute(db),
  );
  const [row] = rows;
  const name = JSON.stringify(id);
  if (!row) throw new ReembedError('ObjectNotFound', `${index.name} has no object ${name}`);
  if (row.failed || row.vector === null) {
    throw invalidField(
      'id',
      'must be an object with vectors: this one could not be embedded',
      `the object ${name} of ${index.name} could not be embedded, so nothing is near to it`,
    );
  }
  return JSON.parse(row.vector) as Vector;
}
