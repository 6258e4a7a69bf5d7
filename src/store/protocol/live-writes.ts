import { sql } from 'kysely';
import { type LiveWrites, MAX_LIVE_WRITES } from '../../contract/live-writes.ts';
import type { Db } from '../database.ts';
import { IS_BEHIND, lookUpPair } from './copy.ts';

type Counts = Pick<LiveWrites, 'written' | 'deleted' | 'arrived'>;

const NONE: Omit<LiveWrites, 'taskId'> = { since: null, written: 0, deleted: 0, arrived: 0, isMore: false };

/**
 * Counts the objects that users have written and deleted in the source of a reindex since its attempt began, each once,
 * and how many of them the new index has.
 */
export async function countLiveWrites(db: Db, taskId: string): Promise<Omit<LiveWrites, 'taskId'>> {
  const lock = await db
    .selectFrom('reembed.reindex_locks')
    .select(['source_no', 'dest_no', 'lock_time', 'since_change'])
    .where('task_id', '=', taskId)
    .where('mirror', '=', false)
    .executeTakeFirst();
  // A lock of an earlier version has no change to count from.
  if (!lock || lock.since_change === null) return NONE;
  const pair = { sourceNo: lock.source_no, destNo: lock.dest_no };
  const { rows } = await sql<Counts & { found: number }>`
    select
      count(*) filter (where copied_from is null and not deleted) as written,
      count(*) filter (where copied_from is null and deleted) as deleted,
      count(*) filter (where copied_from is null and not behind) as arrived,
      count(*) as found
    from (
      select s.deleted, s.copied_from, coalesce(${IS_BEHIND}, false) as behind
      from ${lookUpPair(pair)}
      where s.index_no = ${pair.sourceNo} and s.change > ${lock.since_change}
      order by s.change
      limit ${MAX_LIVE_WRITES + 1}
    ) changes`.execute(db);
  const { found, ...counts } = rows[0] as (typeof rows)[number];
  return { since: lock.lock_time.toISOString(), ...counts, isMore: found > MAX_LIVE_WRITES };
}
