import { type RawBuilder, sql } from 'kysely';
import type { Db } from './database.ts';

/** A page of names in order, after `after`, that are older than the given seconds. */
export interface Page {
  after: string;
  olderThanSeconds: number;
  limit: number;
}

/** Rows that several may have with one name, and the time by which the name grows old. */
interface NamedRows {
  table: string;
  name: string;
  time: RawBuilder<unknown>;
}

/** Creates the list of names whose last row is some time old. */
function listOld({ table, name, time }: NamedRows) {
  const column = sql.ref(name);
  return async (db: Db, { after, olderThanSeconds, limit }: Page): Promise<string[]> => {
    const { rows } = await sql<{ name: string }>`
      select ${column} as name
      from ${sql.table(table)}
      where ${column} > ${after}
      group by ${column}
      having max(${time}) < now() - make_interval(secs => ${olderThanSeconds})
      order by ${column}
      limit ${limit}`.execute(db);
    return rows.map((row) => row.name);
  };
}

/** Lists stagings whose items were staged some time ago. */
export const listOldStagings = listOld({
  table: 'reembed.staged_items',
  name: 'staging',
  time: sql.ref('stage_time'),
});

/** Lists tasks whose last failed item is some time old. */
export const listOldFailedTasks = listOld({
  table: 'reembed.failed_items',
  name: 'task_id',
  time: sql.ref('fail_time'),
});

/** Lists steering tasks whose targets were looked up some time ago. */
export const listStaleSteerTasks = listOld({
  table: 'reembed.steer_results',
  name: 'task_id',
  time: sql.ref('snapshot_time'),
});

/** Lists tasks whose last text for a batch was sent some time ago. */
export const listOldBatchTasks = listOld({
  table: 'reembed.batch_texts',
  name: 'task_id',
  time: sql.ref('sent_time'),
});

/** Lists tasks whose shadow and canary reads were last counted some time ago. */
export const listOldReads = listOld({
  table: 'reembed.reads',
  name: 'task_id',
  time: sql`coalesce(count_time, create_time)`,
});

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
