import { sql } from 'kysely';
import type { ReadShares } from '../contract/read-shares.ts';
import type { Db } from './database.ts';

/** The reads of a task and the sums of all processes. */
export interface ReadCounts extends ReadShares {
  alias: string;
  serving: string;
  other: string;
  since: Date;
  /** When they ended, or shortly after; null while they run. */
  until: Date | null;
  counts: Map<string, number>;
}

/** Adds to the sums of a lock. Does nothing if its reads are dropped. */
export async function addReadCounts(db: Db, lock: string, counts: ReadonlyMap<string, number>): Promise<void> {
  // In one order, since several processes add to the same rows.
  const names = [...counts.keys()].sort();
  await sql`
    with counted as (
      update reembed.reads
      set count_time = now()
      where lock = ${lock}::uuid
      returning lock
    )
    insert into reembed.read_counts (lock, name, value)
    select counted.lock, added.name, added.value
    from counted
    cross join unnest(${names}::text[], ${names.map((name) => counts.get(name))}::float8[]) as added (name, value)
    order by added.name
    on conflict (lock, name) do update set value = read_counts.value + excluded.value`.execute(db);
}

interface ReadsRow extends ReadShares {
  lock: string;
  alias: string;
  serving: string;
  other: string;
  create_time: Date;
  until: Date | null;
}

/** Returns the last reads of a task; undefined if it has none. */
export async function getReadCounts(db: Db, taskId: string): Promise<ReadCounts | undefined> {
  const { rows } = await sql<ReadsRow>`
    select r.*, case when l.lock is null then coalesce(r.count_time, r.create_time) end as until
    from reembed.reads r
    left join reembed.reindex_locks l on l.lock = r.lock and l.lock_expire_time > now()
    where r.task_id = ${taskId}
    order by r.create_time desc
    limit 1`.execute(db);
  const [row] = rows;
  if (!row) return undefined;
  const counted = await sql<{ name: string; value: number }>`
    select name, value from reembed.read_counts where lock = ${row.lock}::uuid`.execute(db);
  const { alias, serving, other, shadow, canary, create_time: since, until } = row;
  const counts = new Map(counted.rows.map(({ name, value }) => [name, value]));
  return { alias, serving, other, shadow, canary, since, until, counts };
}

/** Drops the reads of a task with their figures. */
export async function dropReads(db: Db, taskId: string): Promise<void> {
  await sql`delete from reembed.reads where task_id = ${taskId}`.execute(db);
}
