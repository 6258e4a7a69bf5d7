import { sql } from 'kysely';
import type { Payload } from '../contract/objects.ts';
import type { Db } from './database.ts';
import { compileFilter } from './filters/compile.ts';
import { readTables, tablesOf } from './partitions.ts';
import type { IndexRow } from './schema.ts';

export interface SampledObject {
  id: string;
  payload: Payload;
  metadata: Record<string, unknown>;
}

/** Objects with more than this are not read, so that a page stays small. */
const PAYLOAD_BYTES = 256 * 1024;
const PAGE = 40;

/**
 * Yields objects that searches can find in an order that depends on their ids and the seed only: the same objects and
 * seed give the same order. Leaves out objects with a payload above 256 KB. Error: `IndexNotFound`.
 */
export async function* sampleObjects(
  db: Db,
  index: IndexRow,
  { seed, max, filter }: { seed: number; max: number; filter?: Record<string, unknown> | undefined },
): AsyncGenerator<SampledObject> {
  const { objects } = tablesOf(index.no);
  const passes = compileFilter(filter, sql`metadata`);
  const order = sql`md5(${String(seed)} || ':' || object_id)`;
  // The ids at once: the order of the whole index is computed once.
  const ids = sql<{ id: string }>`
    select object_id as id
    from ${objects}
    where index_no = ${index.no} and not deleted and not failed ${passes ? sql`and ${passes.condition}` : sql``}
    order by ${order}, object_id
    limit ${max}`;
  const { rows } = await readTables(index, () => ids.execute(db));
  for (let at = 0; at < rows.length; at += PAGE) {
    const page = rows.slice(at, at + PAGE).map(({ id }) => id);
    const read = sql<SampledObject>`
      select object_id as id, payload, metadata
      from ${objects}
      where index_no = ${index.no} and object_id = any(${page}::text[]) and not deleted and not failed
        and octet_length(payload::text) <= ${PAYLOAD_BYTES}
      order by ${order}, object_id`;
    yield* (await readTables(index, () => read.execute(db))).rows;
  }
}
