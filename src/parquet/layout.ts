import type { SchemaElement } from 'hyparquet';

/** The columns of an export, in order: the fields of an exported object. */
export const COLUMNS = [
  'id',
  'version',
  'payload',
  'metadata',
  'originalId',
  'uri',
  'failed',
  'parts',
] as const satisfies readonly (keyof ParquetRow)[];

/** An object as a row. Payload and metadata are JSON texts, so that they are exact. */
export interface ParquetRow {
  id: string;
  version: number;
  payload: string | null;
  metadata: string;
  originalId: string | null;
  uri: string | null;
  failed: boolean;
  parts: { start: number | null; end: number | null; text: string | null; vector: string | number[] }[];
}

/** Max row groups of a file: all of them are described in its footer, which readers hold in memory. */
export const MAX_GROUPS = 20_000;

/** The four bytes that a file begins and ends with. */
export const MAGIC = 'PAR1';

const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } } as const;
// Not the converted type JSON: the writer would serialize the text again. The footer has it, for readers.
const json = { type: 'BYTE_ARRAY', logical_type: { type: 'JSON' } } as const;
const list = { converted_type: 'LIST', logical_type: { type: 'LIST' }, num_children: 1 } as const;
const entries = { name: 'list', repetition_type: 'REPEATED', num_children: 1 } as const;
const always = { repetition_type: 'REQUIRED' } as const;
const orNull = { repetition_type: 'OPTIONAL' } as const;

/** The schema by which row groups are written. */
export const GROUP_SCHEMA: SchemaElement[] = [
  { name: 'object', num_children: COLUMNS.length },
  { name: 'id', ...text, ...always },
  { name: 'version', type: 'INT64', ...always },
  { name: 'payload', ...json, ...orNull },
  { name: 'metadata', ...json, ...always },
  { name: 'originalId', ...text, ...orNull },
  { name: 'uri', ...text, ...orNull },
  { name: 'failed', type: 'BOOLEAN', ...always },
  { name: 'parts', ...list, ...always },
  entries,
  { name: 'element', num_children: 4, ...always },
  { name: 'start', type: 'INT32', ...orNull },
  { name: 'end', type: 'INT32', ...orNull },
  { name: 'text', ...text, ...orNull },
  { name: 'vector', ...list, ...always },
  entries,
  { name: 'element', type: 'FLOAT', ...always },
];

/** The schema in the footer. */
export const FILE_SCHEMA: SchemaElement[] = GROUP_SCHEMA.map((element) =>
  element.logical_type?.type === 'JSON' ? { ...element, converted_type: 'JSON' } : element,
);
