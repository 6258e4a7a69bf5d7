import { sql } from 'kysely';
import { LIMITS } from '../contract/limits.ts';
import type { ObjectEvent } from '../contract/object-history.ts';
import type { Db } from './database.ts';
import { readTables, tablesOf } from './partitions.ts';
import type { IndexRow } from './schema.ts';

/** Reads the history of one object, newest first; undefined if the index has never known the object. */
export async function readHistory(db: Db, index: IndexRow, id: string): Promise<ObjectEvent[] | undefined> {
  const { rows } = await sql<Omit<ObjectEvent, 'time'> & { time: Date }>`
    select h.event_time as time, h.kind, h.version, h.copied_from is not null as copied, i.name as "copiedFrom",
      h.task_id as "taskId", h.task_by as "by", h.reason
    from reembed.object_history h
    left join reembed.indexes i on i.no = h.copied_from
    where h.index_no = ${index.no} and h.object_id = ${id}
    order by h.change desc
    limit ${LIMITS.historyPerObject}`.execute(db);
  if (rows.length > 0) return rows.map((row) => ({ ...row, time: row.time.toISOString() }));
  const { rows: known } = await readTables(index, () =>
    sql`select from ${tablesOf(index.no).objects} where index_no = ${index.no} and object_id = ${id}`.execute(db),
  );
  return known.length > 0 ? [] : undefined;
}
