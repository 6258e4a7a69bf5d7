import { sql } from 'kysely';
import { resolveVectorIndex } from '../contract/vector-index.ts';
import type { Vector } from '../contract/vectors.ts';
import { countFound } from './count-found.ts';
import type { Db, Trx } from './database.ts';
import { nearestByIndex, nearestOfAll } from './nearest.ts';
import { readTables, tablesOf } from './partitions.ts';
import type { IndexRow } from './schema.ts';
import { noTurns, type Turns } from './turns.ts';

/**
 * Measures the recall of the HNSW index: the share of the exact neighbors of some sample objects that it also finds;
 * null if there is nothing to compare. Uses one part of each sample object, and reads only the ids of neighbors. During
 * live work, one process of the database searches, in turn with it.
 */
export async function measureRecall(
  db: Db,
  index: IndexRow,
  sample: { objects: number; limit: number },
  turns: Turns = noTurns,
): Promise<number | null> {
  if (resolveVectorIndex(index).kind === 'none') return null;
  let found = 0;
  let wanted = 0;
  for (const vector of await readTables(index, () => sampleVectors(db, index, sample.objects))) {
    const isLive = await turns.isLive();
    const compare = async (trx: Trx) => {
      if (isLive) await sql`set local max_parallel_workers_per_gather = 0`.execute(trx);
      return {
        exact: await nearestOfAll(trx, index, { vector, limit: sample.limit }),
        chosen: await nearestByIndex(trx, index, { vector, limit: sample.limit }),
      };
    };
    const { exact, chosen } = await turns.take(() =>
      readTables(index, () => db.transaction().setIsolationLevel('repeatable read').execute(compare)),
    );
    wanted += exact.length;
    found += countFound(index, exact, chosen);
  }
  return wanted === 0 ? null : Math.round((found / wanted) * 1_000) / 1_000;
}

/** Reads one vector each of some objects, picked by the hash of the id: the same ones each time, evenly spread. */
async function sampleVectors(db: Db, index: IndexRow, objects: number): Promise<Vector[]> {
  const tables = tablesOf(index.no);
  const { rows: sample } = await sql<{ id: string }>`
    select object_id as id
    from ${tables.objects}
    where index_no = ${index.no} and not deleted and not failed
    order by hashtext(object_id), object_id
    limit ${objects}`.execute(db);
  const ids = sample.map(({ id }) => id);
  const { rows } = await sql<{ embedding: string }>`
    select distinct on (object_id) embedding::text as embedding
    from ${tables.parts}
    where index_no = ${index.no} and object_id = any(${ids}::text[])
    order by object_id, part`.execute(db);
  return rows.map(({ embedding }) => JSON.parse(embedding));
}
