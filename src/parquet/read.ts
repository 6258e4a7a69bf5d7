import { open } from 'node:fs/promises';
import {
  asyncBufferFromFile,
  type ColumnMetaData,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  type RowGroup,
} from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { messageOf, ReembedError } from '../contract/errors.ts';
import { fieldPath, JsonTextError } from '../contract/json-text/error.ts';
import { parseJsonText } from '../contract/json-text/parse.ts';
import { encodeVector } from '../contract/ready-parts.ts';
import { COLUMNS, MAGIC } from './layout.ts';

type File = Awaited<ReturnType<typeof asyncBufferFromFile>>;

/** A row group is read whole, and takes several times its size. */
const MAX_GROUP_BYTES = 64 * 1024 * 1024;
const MAX_GROUP_ROWS = 250_000;
/** Values of a column in it, such as the numbers of all vectors. */
const MAX_GROUP_VALUES = MAX_GROUP_BYTES / 4;
const MAX_FOOTER_BYTES = 64 * 1024 * 1024;
/** Of the length of the footer, and the magic bytes. */
const END_BYTES = 8;

/** Returns whether a file begins as a Parquet file does. */
export async function isParquet(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
    return buffer.toString('latin1', 0, bytesRead) === MAGIC;
  } finally {
    await handle.close();
  }
}

/** Returns whether a file ends as a Parquet file does. */
export async function isWholeParquet(file: string): Promise<boolean> {
  return isWhole(await asyncBufferFromFile(file));
}

/**
 * Opens a Parquet file of `writeParquet`, also one that another program has written again, and yields its rows as values to be
 * checked as exported objects. It reads one row group at a time. `onRead` receives the bytes read and the size of the
 * file. Error: `InvalidInput` naming the file and, while reading, the object at fault.
 */
export async function readParquet(
  path: string,
  onRead: (bytes: number, all: number) => void = () => {},
): Promise<AsyncGenerator<unknown>> {
  const file = await asyncBufferFromFile(path);
  return rowsOf(file, await readFooter(file, path), path, onRead);
}

async function* rowsOf(
  file: File,
  metadata: FileMetaData,
  path: string,
  onRead: (bytes: number, all: number) => void,
): AsyncGenerator<unknown> {
  let row = 0;
  for (const [at, group] of metadata.row_groups.entries()) {
    const where = `${path}, row group ${at + 1}`;
    const rows = await readGroup(file, metadata, group, where).catch((error: unknown) => damaged(where, error));
    for (const values of rows) {
      row += 1;
      yield objectOf(values, `${path}, object ${row}`);
    }
    onRead(endOf(group), file.byteLength);
  }
}

async function readFooter(file: File, path: string): Promise<FileMetaData> {
  if (!(await isWhole(file))) refuse(`${path} is not a whole Parquet file: its end is missing`);
  const length = new DataView(await file.slice(file.byteLength - END_BYTES, file.byteLength)).getUint32(0, true);
  if (length > MAX_FOOTER_BYTES) {
    refuse(`${path}: its footer has ${inMegabytes(length)}, and at most ${inMegabytes(MAX_FOOTER_BYTES)} are read`);
  }
  const where = `${path}, its footer,`;
  const metadata = await parquetMetadataAsync(file, { geoparquet: false }).catch((error) => damaged(where, error));
  const names = new Set(metadata.row_groups[0]?.columns.map(({ meta_data }) => meta_data?.path_in_schema[0]));
  const rows = metadata.row_groups.reduce((sum, { num_rows }) => sum + num_rows, 0n);
  if (rows !== metadata.num_rows) refuse(`${where} is damaged: its row groups have ${rows} rows`);
  const missing = COLUMNS.filter((name) => metadata.row_groups.length > 0 && !names.has(name));
  if (missing.length > 0) {
    refuse(
      `${path} is not an export: it lacks ${missing.length === 1 ? 'the column' : 'the columns'} ${missing.join(', ')}`,
    );
  }
  return metadata;
}

async function isWhole(file: File): Promise<boolean> {
  if (file.byteLength < MAGIC.length + END_BYTES) return false;
  const end = await file.slice(file.byteLength - MAGIC.length, file.byteLength);
  return Buffer.from(end).toString('latin1') === MAGIC;
}

async function readGroup(file: File, metadata: FileMetaData, group: RowGroup, where: string) {
  const bytes = Math.max(Number(group.total_byte_size), ...group.columns.map(sizeOf));
  const rows = Number(group.num_rows);
  if (bytes > MAX_GROUP_BYTES || rows > MAX_GROUP_ROWS) {
    refuse(
      `${where} has ${rows} rows in ${inMegabytes(bytes)}, and is read whole: write the file again with at most ` +
        `${MAX_GROUP_ROWS} rows and ${inMegabytes(MAX_GROUP_BYTES)} in a row group`,
    );
  }
  for (const { meta_data } of group.columns) {
    if (!meta_data) refuse(`${where} is damaged: a column is not described`);
    await checkPages(file, meta_data as ColumnMetaData, group, where);
  }
  return parquetReadObjects({
    file,
    metadata: { ...metadata, row_groups: [group], num_rows: group.num_rows },
    columns: [...COLUMNS],
    parsers: { stringFromBytes: decode, jsonFromBytes: decode },
  });
}

/**
 * Checks what the pages say of their sizes: the library trusts them, so that a damaged one could keep it busy for very long, or
 * hide rows.
 */
async function checkPages(file: File, chunk: ColumnMetaData, group: RowGroup, where: string): Promise<void> {
  const { start, end } = placeOf(chunk);
  const name = chunk.path_in_schema.join('.');
  if (!(start > 0 && end <= file.byteLength)) refuse(`${where} is damaged: ${name} is not within the file`);
  const reader = { view: new DataView(await file.slice(start, end)), offset: 0 };
  let values = 0;
  while (reader.offset < reader.view.byteLength) {
    const page = parquetHeader(reader);
    const { num_values = 0 } = page.data_page_header_v2 ?? page.data_page_header ?? {};
    const sizes = [num_values, page.compressed_page_size, page.uncompressed_page_size];
    values += num_values;
    reader.offset += page.compressed_page_size;
    const isSound = sizes.every((size) => size >= 0 && size <= MAX_GROUP_BYTES) && values <= MAX_GROUP_VALUES;
    if (!isSound || reader.offset > reader.view.byteLength) {
      refuse(`${where} is damaged, or has a page that is too large, in ${name}`);
    }
  }
  const isNested = chunk.path_in_schema.length > 1;
  if (values !== Number(chunk.num_values) || (!isNested && values !== Number(group.num_rows))) {
    refuse(`${where} is damaged: ${name} has ${values} values`);
  }
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array | undefined): string | undefined {
  return bytes && strict.decode(bytes);
}

function sizeOf({ meta_data }: RowGroup['columns'][number]): number {
  return Number(meta_data?.total_uncompressed_size ?? 0);
}

function endOf({ columns }: RowGroup): number {
  return Math.max(0, ...columns.map(({ meta_data }) => (meta_data ? placeOf(meta_data).end : 0)));
}

/** Where the bytes of a column are in the file. */
function placeOf({ dictionary_page_offset, data_page_offset, total_compressed_size }: ColumnMetaData) {
  const start = Number(dictionary_page_offset ?? data_page_offset);
  return { start, end: start + Number(total_compressed_size) };
}

function objectOf(row: Record<string, unknown>, where: string): object {
  const { version, payload, metadata, parts, ...rest } = row;
  return {
    ...rest,
    originalId: rest.originalId ?? null,
    uri: rest.uri ?? null,
    version: Number(version),
    payload: payload === null || payload === undefined ? null : jsonOf(payload, `${where}.payload`),
    metadata: jsonOf(metadata, `${where}.metadata`),
    parts: Array.isArray(parts) ? parts.map((part, at) => partOf(part, `${where}.parts.${at}`)) : parts,
  };
}

function partOf(part: unknown, where: string): unknown {
  if (typeof part !== 'object' || part === null) return part;
  const { start, end, text, vector } = part as Record<string, unknown>;
  return {
    start: numberOf(start),
    end: numberOf(end),
    text: text ?? null,
    vector: vectorOf(vector, `${where}.vector`),
  };
}

/** Whole numbers of 64 bits are bigints. */
const numberOf = (value: unknown) => (value === null || value === undefined ? null : Number(value));

/** Returns a vector as base64: its numbers are checked where all vectors are. */
function vectorOf(vector: unknown, where: string): string {
  if (!Array.isArray(vector) || !vector.every((value) => typeof value === 'number')) {
    refuse(`${where}: must be a list of floating-point numbers`);
  }
  return encodeVector(vector as number[]);
}

function jsonOf(value: unknown, where: string): unknown {
  if (typeof value !== 'string') refuse(`${where}: must be JSON as text`);
  try {
    return parseJsonText(value as string);
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    return refuse(`${[where, fieldPath(error.path)].filter((part) => part !== '').join('.')}: ${error.message}`, error);
  }
}

const inMegabytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MB`;

/** Passes an error that names the file on. */
function damaged(where: string, error: unknown): never {
  if (error instanceof ReembedError) throw error;
  refuse(`${where} cannot be read: ${messageOf(error)}`, error);
}

function refuse(message: string, cause?: unknown): never {
  throw new ReembedError('InvalidInput', message, { cause });
}
