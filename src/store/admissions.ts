import { sql } from 'kysely';
import type { Db, Trx } from './database.ts';

/** What a task was assigned at its first admission. */
export interface Admission {
  version: number;
  /** The number of the index that it named; null if it named an alias. */
  indexNo: number | null;
  /** True for the first admission. */
  isFirst: boolean;
}

/**
 * Records the version and the index of a staging once; later calls return what the first one recorded. `version: null`
 * draws the next version.
 */
export async function admitOnce(
  trx: Db | Trx,
  staging: string,
  { version, indexNo }: { version: number | null; indexNo: number | null },
): Promise<Admission> {
  const { rows } = await sql<Omit<Admission, 'isFirst'>>`
    insert into reembed.admissions (staging, version, index_no)
    values (${staging}, ${version === null ? sql`nextval('reembed.versions')` : version}, ${indexNo})
    on conflict (staging) do nothing
    returning version, index_no as "indexNo"`.execute(trx);
  if (rows[0]) return { ...rows[0], isFirst: true };
  const { rows: before } = await sql<Omit<Admission, 'isFirst'>>`
    select version, index_no as "indexNo"
    from reembed.admissions
    where staging = ${staging}`.execute(trx);
  return { ...(before[0] as Omit<Admission, 'isFirst'>), isFirst: false };
}

/**
 * Returns what the last start of a task was assigned, for a restart of it: the same task keeps its version and its
 * index, even if nobody could read its tracker. Undefined if it was never admitted, or long ago. The staging of a start
 * is the id of the task, a slash and a uuid.
 */
export async function lastAdmission(
  trx: Db | Trx,
  taskId: string,
): Promise<{ version: number | null; indexNo: number | null } | undefined> {
  const { rows } = await sql<{ version: number | null; indexNo: number | null }>`
    select version, index_no as "indexNo"
    from reembed.admissions
    where starts_with(staging, ${`${taskId}/`}) and length(staging) = length(${taskId}::text) + 37
    order by admit_time desc
    limit 1`.execute(trx);
  return rows[0];
}

/** Clears the failed list of an earlier task with the same id, once per staging. */
export async function forgetFailedOnce(trx: Db | Trx, taskId: string, staging: string): Promise<void> {
  await sql`
    with first as (
      insert into reembed.admissions (staging)
      values (${staging})
      on conflict (staging) do nothing
      returning staging
    )
    delete from reembed.failed_items
    where task_id = ${taskId} and exists (select from first)`.execute(trx);
}

/** Deletes admissions older than this; no task can still be in its first steps. */
export async function dropAdmissions(db: Db, olderThanSeconds: number): Promise<void> {
  await sql`
    delete from reembed.admissions
    where admit_time < now() - make_interval(secs => ${olderThanSeconds})`.execute(db);
}
