import { sql } from 'kysely';
import type { Db } from './database.ts';

/** Names of acceptances whose items were staged longer ago than this. */
export async function listOldStagings(db: Db, olderThanSeconds: number, limit: number): Promise<string[]> {
  const { rows } = await sql<{ staging: string }>`
    select staging
    from reembed.staged_items
    group by staging
    having max(stage_time) < now() - make_interval(secs => ${olderThanSeconds})
    limit ${limit}`.execute(db);
  return rows.map((row) => row.staging);
}

/** Tasks with failed items, the last of which failed longer ago than this. */
export async function listOldFailedTasks(db: Db, olderThanSeconds: number, limit: number): Promise<string[]> {
  const { rows } = await sql<{ task_id: string }>`
    select task_id
    from reembed.failed_items
    group by task_id
    having max(fail_time) < now() - make_interval(secs => ${olderThanSeconds})
    limit ${limit}`.execute(db);
  return rows.map((row) => row.task_id);
}

/** Tasks that steered others, which were looked up longer ago than this. */
export async function listOldSteerings(db: Db, olderThanSeconds: number, limit: number): Promise<string[]> {
  const { rows } = await sql<{ task_id: string }>`
    select task_id
    from reembed.steer_results
    group by task_id
    having max(snapshot_time) < now() - make_interval(secs => ${olderThanSeconds})
    limit ${limit}`.execute(db);
  return rows.map((row) => row.task_id);
}

/** Forgets the ends of writes that nobody will ask about any more. */
export async function dropFinished(db: Db, olderThanSeconds: number): Promise<void> {
  await sql`
    delete from reembed.finished_writes
    where finish_time < now() - make_interval(secs => ${olderThanSeconds})`.execute(db);
}

export async function dropFailed(db: Db, taskId: string): Promise<void> {
  await sql`delete from reembed.failed_items where task_id = ${taskId}`.execute(db);
}
