import { sql } from 'kysely';
import type { Db, Trx } from '../database.ts';
import { tablesOf } from '../partitions.ts';

/** Whether an index has objects, but none that a search can find. */
export async function isWithoutVectors(db: Db | Trx, indexNo: number): Promise<boolean> {
  const { objects } = tablesOf(indexNo);
  const { rows } = await sql<{ isWithout: boolean }>`
    select
      exists (select from ${objects} where index_no = ${indexNo} and not deleted)
      and not exists (select from ${objects} where index_no = ${indexNo} and not deleted and not failed)
      as "isWithout"`.execute(db);
  return rows[0]?.isWithout === true;
}
