import { sql } from 'kysely';
import type { Db } from '../database.ts';
import { resolveIndex } from '../indexes.ts';
import { tablesOf } from '../partitions.ts';

/** Returns the next ids of the objects of an index or alias that are not deleted, in their order. */
export async function findLiveIds(
  db: Db,
  name: string,
  { after, limit }: { after: string | null; limit: number },
): Promise<string[]> {
  const index = await resolveIndex(db, name);
  const { rows } = await sql<{ id: string }>`
    select object_id as id
    from ${tablesOf(index.no).objects}
    where index_no = ${index.no} and not deleted and (${after}::text is null or object_id > ${after}::text collate "C")
    order by object_id
    limit ${limit}`.execute(db);
  return rows.map(({ id }) => id);
}
