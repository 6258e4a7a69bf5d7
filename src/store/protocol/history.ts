import { type RawBuilder, sql } from 'kysely';
import { LIMITS } from '../../contract/limits.ts';
import { textArray } from '../binary.ts';
import type { Db, Trx } from '../database.ts';

/** The task that writes, and the name of the API token that started it, if it is known. */
export interface Writer {
  taskId: string;
  by: string | null;
}

/** The sessions of a process that keeps no history say so: see `openDatabase`. */
const IS_KEPT = sql`coalesce(current_setting('reembed.history', true), '') <> 'off'`;

/**
 * Returns CTEs that add what `written` returned to the history of its objects, in the same statement, and remove what is
 * more than the limit. `written` returns object_id, change, kind, version, copied_from, reason and is_new: a new object
 * costs one row and no look-up.
 */
export function noteWritten(indexNo: number, ids: readonly string[], writer: Writer | null): RawBuilder<unknown> {
  return sql`
    noted as (
      insert into reembed.object_history (index_no, object_id, change, kind, version, copied_from, reason, task_id, task_by)
      select ${indexNo}::int, object_id, change, kind, version, copied_from, reason, ${writer?.taskId ?? null}, ${writer?.by ?? null}
      from written
      where ${IS_KEPT}
    ),
    oldest as (
      select written.object_id, past.change
      from written
      cross join lateral (
        select change
        from reembed.object_history
        where index_no = ${indexNo} and object_id = written.object_id
        order by change desc
        offset ${LIMITS.historyPerObject - 1}
        limit 1
      ) past
      where not written.is_new and ${IS_KEPT}
    ),
    trimmed as (
      delete from reembed.object_history h
      using oldest
      where h.index_no = ${indexNo}
        and h.object_id = any(${textArray(ids)}::text[])
        and h.object_id = oldest.object_id
        and h.change <= oldest.change
    )`;
}

/** Adds writes that failed and changed nothing to the history of their objects. */
export async function noteFailures(
  db: Db | Trx,
  indexNo: number,
  failures: readonly { objectId: string; reason: string; version: number | null }[],
  writer: Writer | null,
): Promise<void> {
  if (failures.length === 0) return;
  const ids = failures.map(({ objectId }) => objectId);
  await sql`
    with written as (
      select id collate "C" as object_id, nextval('reembed.changes') as change, 'failed' as kind, version,
        null::int as copied_from, false as is_new, reason
      from unnest(
        ${textArray(ids)}::text[],
        ${failures.map(({ version }) => version)}::bigint[],
        ${textArray(failures.map(({ reason }) => reason))}::text[]
      ) as failure (id, version, reason)
    ),
    ${noteWritten(indexNo, ids, writer)}
    select`.execute(db);
}
