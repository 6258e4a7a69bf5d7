import { sql } from 'kysely';
import type { Db } from './database.ts';

/** A page of names in order, after `after`, that are older than the given seconds. */
export interface Page {
  after: string;
  olderThanSeconds: number;
  limit: number;
}

/** Lists stagings whose items were staged some time ago. */
export async function listOldStagings(db: Db, { after, olderThanSeconds, limit }: Page): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select staging as name
    from reembed.staged_items
    where staging > ${after}
    group by staging
    having max(stage_time) < now() - make_interval(secs => ${olderThanSeconds})
    order by staging
    limit ${limit}`.execute(db);
  return rows.map((row) => row.name);
}

/** Lists tasks whose last failed item is some time old. */
export async function listOldFailedTasks(db: Db, { after, olderThanSeconds, limit }: Page): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select task_id as name
    from reembed.failed_items
    where task_id > ${after}
    group by task_id
    having max(fail_time) < now() - make_interval(secs => ${olderThanSeconds})
    order by task_id
    limit ${limit}`.execute(db);
  return rows.map((row) => row.name);
}

/** Lists steering tasks whose targets were looked up some time ago. */
export async function listStaleSteerTasks(db: Db, { after, olderThanSeconds, limit }: Page): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select task_id as name
    from reembed.steer_results
    where task_id > ${after}
    group by task_id
    having max(snapshot_time) < now() - make_interval(secs => ${olderThanSeconds})
    order by task_id
    limit ${limit}`.execute(db);
  return rows.map((row) => row.name);
}

/** Deletes remembered deletions of indexes that are gone; index numbers are never reused. */
export async function dropRemovedOfGoneIndexes(db: Db, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from reembed.removed_objects
    where (index_no, object_id) in (
      select index_no, object_id
      from reembed.removed_objects removed
      where not exists (select from reembed.indexes where no = removed.index_no)
      limit ${limit}
    )`.execute(db);
  return Number(numAffectedRows ?? 0);
}

/** Deletes the history of objects of deleted indexes. Returns the number of rows. */
export async function dropHistoryOfGoneIndexes(db: Db, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from reembed.object_history
    where (index_no, object_id, change) in (
      select index_no, object_id, change
      from reembed.object_history history
      where not exists (select from reembed.indexes where no = history.index_no)
      limit ${limit}
    )`.execute(db);
  return Number(numAffectedRows ?? 0);
}

/** Deletes failures from the history of objects, which may never have been stored. Returns the number of rows. */
export async function dropOldFailures(db: Db, olderThanSeconds: number, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from reembed.object_history
    where (index_no, object_id, change) in (
      select index_no, object_id, change
      from reembed.object_history
      where kind = 'failed' and event_time < now() - make_interval(secs => ${olderThanSeconds})
      order by event_time
      limit ${limit}
    )`.execute(db);
  return Number(numAffectedRows ?? 0);
}

/** Deletes records of finished writes that nobody will query any more. */
export async function dropFinished(db: Db, olderThanSeconds: number): Promise<void> {
  await sql`
    delete from reembed.finished_writes
    where finish_time < now() - make_interval(secs => ${olderThanSeconds})`.execute(db);
}

/** Lists tasks whose evaluation was last changed some time ago. */
export async function listOldEvaluations(db: Db, { after, olderThanSeconds, limit }: Page): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select task_id as name
    from reembed.evaluations
    where task_id > ${after} and update_time < now() - make_interval(secs => ${olderThanSeconds})
    order by task_id
    limit ${limit}`.execute(db);
  return rows.map((row) => row.name);
}

/** Lists tasks whose shadow and canary reads were last counted some time ago. */
export async function listOldReads(db: Db, { after, olderThanSeconds, limit }: Page): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select task_id as name
    from reembed.reads
    where task_id > ${after}
    group by task_id
    having max(coalesce(count_time, create_time)) < now() - make_interval(secs => ${olderThanSeconds})
    order by task_id
    limit ${limit}`.execute(db);
  return rows.map((row) => row.name);
}
