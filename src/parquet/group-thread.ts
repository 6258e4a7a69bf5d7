import type { RowGroup } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { decodeVector } from '../contract/ready-parts.ts';
import { moving } from '../cpu/worker-pool.ts';
import { COLUMNS, GROUP_SCHEMA, MAGIC, type ParquetRow } from './layout.ts';

export interface GroupRequest {
  rows: readonly ParquetRow[];
  /** Where in the file the row group begins. */
  offset: number;
}

export interface EncodedGroup {
  bytes: Uint8Array;
  /** What the footer says of it. */
  group: RowGroup;
}

/** Runs in a thread. Encodes rows as one row group, about a microsecond for each number of a vector. */
export default function encodeGroup({ rows, offset }: GroupRequest): EncodedGroup {
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({ writer, schema: GROUP_SCHEMA, statistics: false });
  writer.offset = offset;
  parquet.write({
    rowGroupSize: rows.length,
    columnData: COLUMNS.map((name) => ({
      name,
      data: rows.map((row) => cellOf(row, name)),
      // No dictionaries: they take 0 and -0 for the same.
      encoding: 'PLAIN',
      offsetIndex: false,
    })),
  });
  const [group] = parquet.row_groups;
  if (!group) throw new Error('no rows were given');
  // The writer began with the magic bytes of a file.
  const bytes = writer.getBytes().subarray(MAGIC.length);
  return moving({ bytes, group }, [bytes.buffer as ArrayBuffer]);
}

function cellOf(row: ParquetRow, name: (typeof COLUMNS)[number]): unknown {
  if (name === 'version') return BigInt(row.version);
  if (name !== 'parts') return row[name];
  return row.parts.map((part) => ({ ...part, vector: Array.from(decodeVector(part.vector)) }));
}
