import type { RowGroup } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { ReembedError } from '../contract/errors.ts';
import type { ExportedObject } from '../contract/export.ts';
import { LIMITS } from '../contract/limits.ts';
import { dimensionsOf } from '../contract/ready-parts.ts';
import { moduleBeside } from '../cpu/module-beside.ts';
import { WorkerPool } from '../cpu/worker-pool.ts';
import { version } from '../version.ts';
import type { EncodedGroup, GroupRequest } from './group-thread.ts';
import { FILE_SCHEMA, MAGIC, MAX_GROUPS, type ParquetRow } from './layout.ts';

/** A row group that is written, with what it takes to continue after it. */
export interface WrittenGroup {
  group: RowGroup;
  /** Offset of its end in the file. */
  end: number;
  lastId: string;
  objects: number;
  parts: number;
}

/** Bytes that follow the previous ones; those of a row group end with it. */
export interface ParquetPiece {
  bytes: Uint8Array;
  written?: WrittenGroup;
}

export interface ParquetOptions {
  /** The index, which the file names. */
  index: string;
  /** Row groups that the file has already, if it is continued. */
  before?: readonly WrittenGroup[];
}

/** Approximate bytes of the objects of a row group, or of a single larger object. */
export const GROUP_BYTES = 4 * 1024 * 1024;
const GROUP_ROWS = 10_000;
const FLOAT_BYTES = 4;
/** Each takes up to 200 MB. */
const MAX_THREADS = 2;

let pool: WorkerPool<GroupRequest, EncodedGroup> | undefined;

/** Returns the one pool of the process, created on first use. */
function threads(): WorkerPool<GroupRequest, EncodedGroup> {
  pool ??= new WorkerPool(moduleBeside(import.meta.url, 'group-thread'), { max: MAX_THREADS });
  return pool;
}

/**
 * Writes objects as a Parquet file with bounded memory: a row group is encoded in a thread when about 4 MB are there, and the
 * next objects are read when its bytes were taken. Error: `TooLarge` for an object with more numbers than an import takes, or
 * more row groups than a footer should describe.
 */
export async function* writeParquet(
  objects: AsyncIterable<ExportedObject>,
  { index, before = [] }: ParquetOptions,
): AsyncGenerator<ParquetPiece> {
  const groups = before.map(({ group }) => group);
  let offset = before.at(-1)?.end ?? 0;
  if (offset === 0) {
    offset = MAGIC.length;
    yield { bytes: Buffer.from(MAGIC) };
  }
  for await (const rows of inGroups(objects)) {
    if (groups.length === MAX_GROUPS) throw tooManyGroups();
    const { bytes, group } = await threads().run({ rows, offset });
    offset += bytes.length;
    groups.push(group);
    const parts = rows.reduce((sum, row) => sum + row.parts.length, 0);
    const lastId = rows.at(-1)?.id ?? '';
    yield { bytes, written: { group, end: offset, lastId, objects: rows.length, parts } };
  }
  yield { bytes: footerOf(groups, index) };
}

async function* inGroups(objects: AsyncIterable<ExportedObject>): AsyncGenerator<ParquetRow[]> {
  let rows: ParquetRow[] = [];
  let bytes = 0;
  for await (const object of objects) {
    const row = rowOf(object);
    const weight = weightOf(row);
    if (rows.length > 0 && (bytes + weight > GROUP_BYTES || rows.length === GROUP_ROWS)) {
      yield rows;
      rows = [];
      bytes = 0;
    }
    rows.push(row);
    bytes += weight;
  }
  if (rows.length > 0) yield rows;
}

function rowOf({ payload, metadata, indexCreateTime: _, ...rest }: ExportedObject): ParquetRow {
  const numbers = rest.parts.reduce((sum, { vector }) => sum + dimensionsOf(vector), 0);
  if (numbers > LIMITS.vectorNumbersPerItem) {
    throw new ReembedError(
      'TooLarge',
      `${JSON.stringify(rest.id)} has ${numbers} numbers in its vectors, and an object in Parquet at most ${LIMITS.vectorNumbersPerItem}: export it as NDJSON`,
    );
  }
  return { ...rest, payload: payload === null ? null : JSON.stringify(payload), metadata: JSON.stringify(metadata) };
}

function weightOf({ payload, metadata, parts }: ParquetRow): number {
  return parts.reduce(
    (sum, { text, vector }) => sum + (text?.length ?? 0) + dimensionsOf(vector) * FLOAT_BYTES,
    (payload?.length ?? 0) + metadata.length,
  );
}

function footerOf(groups: RowGroup[], index: string): Uint8Array {
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({
    writer,
    schema: FILE_SCHEMA,
    kvMetadata: [{ key: 'reembed.index', value: index }],
    createdBy: `reembed ${version}`,
  });
  parquet.row_groups = groups;
  parquet.num_rows = groups.reduce((sum, { num_rows }) => sum + num_rows, 0n);
  parquet.finish();
  return writer.getBytes().subarray(MAGIC.length);
}

function tooManyGroups(): ReembedError {
  return new ReembedError(
    'TooLarge',
    `a Parquet file has at most ${MAX_GROUPS} row groups, which are about ${(MAX_GROUPS * GROUP_BYTES) / 2 ** 30} GB: export it as NDJSON`,
  );
}
