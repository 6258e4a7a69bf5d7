import { sql } from 'kysely';
import type { Db } from '../../src/store/database.ts';
import { vectorIndexName } from '../../src/store/vector-index.ts';

export interface DiskOf {
  table: number;
  toast: number;
  indexes: number;
}

/** Bytes of the tables of an index; the HNSW index is not among the indexes. */
export async function diskOf(db: Db, indexNo: number): Promise<{ objects: DiskOf; parts: DiskOf; hnsw: number }> {
  const read = async (name: string, without: string): Promise<DiskOf & { left: number }> => {
    const relation = sql`${`reembed.${name}`}::regclass`;
    const { rows } = await sql<Record<keyof DiskOf | 'left', string>>`
      select
        pg_table_size(${relation}) - t.toast as table,
        t.toast,
        pg_indexes_size(${relation}) - coalesce(pg_relation_size(to_regclass(${`reembed.${without}`})), 0) as indexes,
        coalesce(pg_relation_size(to_regclass(${`reembed.${without}`})), 0) as left
      from (
        select case when reltoastrelid = 0 then 0 else pg_total_relation_size(reltoastrelid) end as toast
        from pg_class
        where oid = ${relation}
      ) t`.execute(db);
    const { table = 0, toast = 0, indexes = 0, left = 0 } = rows[0] ?? {};
    return { table: Number(table), toast: Number(toast), indexes: Number(indexes), left: Number(left) };
  };
  const objects = await read(`objects_${indexNo}`, '');
  const parts = await read(`parts_${indexNo}`, vectorIndexName(indexNo));
  return { objects, parts, hnsw: parts.left };
}

/** Runs `work` after a checkpoint, and returns the bytes that the server wrote to its WAL meanwhile. */
export async function walOf(db: Db, work: () => Promise<unknown>): Promise<number> {
  // What earlier work left behind, such as marks of committed rows, is not counted; and a page that changes first after
  // a checkpoint is written as a whole, so each measurement has its own.
  await sql`vacuum (analyze)`.execute(db);
  await sql`checkpoint`.execute(db);
  const { rows: before } = await sql<{ at: string }>`select pg_current_wal_insert_lsn() as at`.execute(db);
  await work();
  const { rows } = await sql<{ bytes: string }>`
    select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), ${before[0]?.at}::pg_lsn) as bytes`.execute(db);
  return Number(rows[0]?.bytes);
}
