import { sql } from 'kysely';
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
export async function sizesOf(db: Db, index: { no: number; name: string }): Promise<TableSizes> {
  const [objects, parts] = [`reembed.objects_${index.no}`, `reembed.parts_${index.no}`];
  const read = () =>
    readOnly(db, SIZE_MS, async (trx) => {
      const { rows } = await sql<TableSizes>`
        select
          pg_total_relation_size(${objects}::regclass) as objects,
          pg_table_size(${parts}::regclass) as parts,
          pg_indexes_size(${parts}::regclass) - coalesce(h.bytes, 0) as keys,
          coalesce(h.bytes, 0) as hnsw
        from (select pg_relation_size(to_regclass(${`reembed.${vectorIndexName(index.no)}`})) as bytes) h`.execute(trx);
      return rows[0] as TableSizes;
    });
  return readTables(index, read);
}
