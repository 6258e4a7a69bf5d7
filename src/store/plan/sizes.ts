import { sql } from 'kysely';
import { indexSizeSql, tableSizeSql } from '../citus/sizes.ts';
import { type Db, readOnly } from '../database.ts';
import { readTables } from '../partitions.ts';
import { vectorIndexName } from '../vector-index.ts';

/** Bytes on disk of the tables of one index. */
export interface TableSizes {
  /** The objects with their payloads and all their indexes. */
  objects: number;
  /** The parts with their vectors, without indexes. */
  parts: number;
  /** The key of the parts. */
  keys: number;
  /** The HNSW index; 0 without one. */
  hnsw: number;
}

const SIZE_MS = 5_000;

/** Reads the sizes of an index's tables. Error: `IndexNotFound`. */
export async function readSizes(db: Db, index: { no: number; name: string }): Promise<TableSizes> {
  const [objects, parts] = [`reembed.objects_${index.no}`, `reembed.parts_${index.no}`];
  const read = () =>
    readOnly(db, SIZE_MS, async (trx) => {
      const { rows } = await sql<Omit<TableSizes, 'keys'> & { total: number }>`
        select
          ${await tableSizeSql(trx, objects, 'total')} as objects,
          ${await tableSizeSql(trx, parts, 'table')} as parts,
          ${await tableSizeSql(trx, parts, 'total')} as total,
          ${await indexSizeSql(trx, parts, vectorIndexName(index.no))} as hnsw`.execute(trx);
      const { total, ...sizes } = rows[0] as (typeof rows)[number];
      return { ...sizes, keys: total - sizes.parts - sizes.hnsw };
    });
  return readTables(index, read);
}
