import { sql } from 'kysely';
import { textArray } from '../binary.ts';
import { isDistributed } from '../citus/layout.ts';
import type { Trx } from '../database.ts';
import { tablesOf } from '../partitions.ts';

/**
 * Locks objects in one order before statements write them. Each statement keeps the order of the ids, so it is only
 * needed for a sequence of statements (`isSequence`): two batches with the same objects could deadlock. Citus cannot lock
 * rows of several nodes, and writes each node when it gets to it, so there every batch takes an advisory lock per object.
 */
export async function lockRows(trx: Trx, indexNo: number, ids: readonly string[], isSequence: boolean): Promise<void> {
  if (ids.length === 0) return;
  if (await isDistributed(trx)) {
    await sql`
      select pg_advisory_xact_lock(key)
      from (
        select distinct hashtextextended(id, ${indexNo}::bigint) as key
        from unnest(${textArray(ids)}::text[]) as object (id)
        order by key
        offset 0 -- locks in this order
      ) keys`.execute(trx);
  } else if (isSequence) {
    await sql`
      select from ${tablesOf(indexNo).objects}
      where index_no = ${indexNo} and object_id = any(${textArray(ids)}::text[])
      order by object_id
      for update`.execute(trx);
  }
}
