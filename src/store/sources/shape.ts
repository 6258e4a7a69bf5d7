import { sql } from 'kysely';
import type { Db } from '../database.ts';

/**
 * What tells that values of a table were changed by a change of its definition, which fires no trigger: another type of a
 * column, another column under its name, another expression that computes it, another name of a value of an enum.
 */
export interface TableShape {
  columns: Record<string, ColumnShape>;
  /** Names of the values of enums that the columns have, by their oids. */
  labels: Record<string, string>;
  /** The files of the table and its partitions: a change of all values writes new ones. */
  files: string;
}

interface ColumnShape {
  /** Number, type and expression. */
  is: string;
  /** The transaction that changed the column's entry in the catalog last. */
  changed: string;
}

/** Reads the shape of a table, as far as it concerns these columns. */
export async function readShape(database: Db, oid: string, columns: readonly string[]): Promise<TableShape> {
  const { rows } = await sql<TableShape>`
    with used as (
      select a.attname, a.xmin::text as changed, base.typelem, base.oid as type,
        concat_ws(' ', a.attnum, a.atttypid, a.atttypmod, a.attcollation, generated.oid) as shape
      from pg_attribute a
      join pg_type t on t.oid = a.atttypid
      join pg_type base on base.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
      left join pg_attrdef generated on a.attgenerated <> '' and generated.adrelid = a.attrelid and generated.adnum = a.attnum
      where a.attrelid = ${oid}::oid and a.attname = any(${[...columns]}::text[]) and not a.attisdropped
    )
    select
      (
        select coalesce(jsonb_object_agg(attname, jsonb_build_object('is', shape, 'changed', changed)), '{}')
        from used
      ) as columns,
      (
        select coalesce(jsonb_object_agg(oid::text, enumlabel), '{}')
        from pg_enum
        where enumtypid in (select type from used union all select typelem from used)
      ) as labels,
      (
        select coalesce(string_agg(relfilenode::text, ' ' order by oid), '')
        from pg_class
        where oid = ${oid}::oid or oid in (select relid from pg_partition_tree(${oid}::oid::regclass))
      ) as files`.execute(database);
  return rows[0] as TableShape;
}

/** Whether values may have been changed without a trigger. Columns that are gone, and new values of enums, do not count. */
export function hasOtherValues(before: TableShape, now: TableShape): boolean {
  const isRewritten = before.files !== now.files;
  const isOther = ([name, was]: [string, ColumnShape]) => {
    const column = now.columns[name];
    return column !== undefined && (column.is !== was.is || (isRewritten && column.changed !== was.changed));
  };
  return (
    Object.entries(before.columns).some(isOther) ||
    Object.entries(before.labels).some(([oid, label]) => now.labels[oid] !== undefined && now.labels[oid] !== label)
  );
}
