import { sql } from 'kysely';
import type { Db, Trx } from './database.ts';

/**
 * Gives what is staged under this name its version, once: whoever asks again gets the same. `isFirst` is true the first
 * time. Without a version given, it is the next one.
 */
export async function admitOnce(
  trx: Db | Trx,
  staging: string,
  version: number | null,
): Promise<{ version: number; isFirst: boolean }> {
  const { rows } = await sql<{ version: number }>`
    insert into reembed.admissions (staging, version)
    values (${staging}, ${version === null ? sql`nextval('reembed.versions')` : version})
    on conflict (staging) do nothing
    returning version`.execute(trx);
  if (rows[0]) return { version: rows[0].version, isFirst: true };
  const { rows: before } = await sql<{ version: number }>`
    select version
    from reembed.admissions
    where staging = ${staging}`.execute(trx);
  return { version: before[0]?.version as number, isFirst: false };
}

/** Forgets, once for what is staged under this name, the failed list of an earlier task of the same id. */
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

/** Forgets admissions of tasks whose first steps nobody can be at any more. */
export async function dropAdmissions(db: Db, olderThanSeconds: number): Promise<void> {
  await sql`
    delete from reembed.admissions
    where admit_time < now() - make_interval(secs => ${olderThanSeconds})`.execute(db);
}
