import { type RawBuilder, sql } from 'kysely';
import type { Db, Trx } from '../database.ts';
import { tablesOf } from '../partitions.ts';

/** Whether an index has objects, but none that a search can find. */
export async function isWithoutVectors(db: Db | Trx, indexNo: number): Promise<boolean> {
  const { objects } = tablesOf(indexNo);
  const hasLive = async (condition: RawBuilder<unknown>) => {
    const { rows } = await sql`
      select 1 from ${objects} where index_no = ${indexNo} and not deleted ${condition} limit 1`.execute(db);
    return rows.length > 0;
  };
  return !(await hasLive(sql`and not failed`)) && hasLive(sql``);
}
