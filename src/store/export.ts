import { sql } from 'kysely';
import type { StoredObject } from '../contract/objects.ts';
import { readVector, textArray } from './binary.ts';
import { type Db, readOnly, type Trx } from './database.ts';
import { listObjects } from './objects.ts';
import { readTables, tablesOf } from './partitions.ts';
import type { IndexRow } from './schema.ts';
import { weighParts } from './stored-parts.ts';

/** A part with its vector as JSON text. */
export interface ExportedPart {
  start: number | null;
  end: number | null;
  vectorJson: string;
}

export interface ObjectToExport {
  object: StoredObject;
  parts: ExportedPart[];
}

export type VectorForm = 'numbers' | 'base64';

interface Page {
  objects: ObjectToExport[];
  next: string | null;
  /** Approximate bytes of all of it as JSON. */
  bytes: number;
}

const PAGE = { limit: 100, bytes: 1024 * 1024 } as const;
/** Max bytes of the vectors of a page; a single object may have more. */
const VECTOR_BYTES = 2 * 1024 * 1024;
/** Bytes of JSON for one byte of a vector, about. */
const FACTOR = { numbers: 3, base64: 1.4 } as const;
const PAGE_MS = 60_000;

export interface ExportOptions {
  after: string | null;
  form: VectorForm;
  /** Is given the bytes of each page; what it returns is released once the page was taken. */
  onPage?: (bytes: number) => { release(): void };
}

/**
 * Streams all objects with the vectors of their parts, in key order and with constant memory. Each page is read in one
 * state of the database, so that the vectors of an object are of its version. Error: `IndexNotFound`.
 */
export async function* exportObjects(
  db: Db,
  index: IndexRow,
  { after, form, onPage }: ExportOptions,
): AsyncGenerator<ObjectToExport> {
  for (let from = after; ; ) {
    const read = () => readOnly(db, PAGE_MS, (trx) => readPage(trx, index, from, form));
    const { objects, next, bytes } = await readTables(index, read);
    const hold = onPage?.(bytes);
    try {
      yield* objects;
    } finally {
      hold?.release();
    }
    if (next === null) return;
    from = next;
  }
}

async function readPage(trx: Trx, index: IndexRow, after: string | null, form: VectorForm): Promise<Page> {
  const listed = await listObjects(trx, index, { after, ...PAGE });
  const weights = await weighParts(
    trx,
    index.no,
    listed.objects.map(({ id }) => id),
  );
  const page: StoredObject[] = [];
  let vectorBytes = 0;
  for (const object of listed.objects) {
    const weight = weights.get(object.id) ?? 0;
    if (page.length > 0 && vectorBytes + weight > VECTOR_BYTES) break;
    page.push(object);
    vectorBytes += weight;
  }
  const parts = await readParts(
    trx,
    index.no,
    page.map(({ id }) => id),
    form,
  );
  return {
    objects: page.map((object) => ({ object, parts: parts.get(object.id) ?? [] })),
    next: page.length < listed.objects.length ? (page.at(-1)?.id ?? null) : listed.next,
    bytes: listed.bytes + Math.ceil(vectorBytes * FACTOR[form]),
  };
}

async function readParts(
  trx: Trx,
  indexNo: number,
  ids: readonly string[],
  form: VectorForm,
): Promise<Map<string, ExportedPart[]>> {
  const { rows } = await sql<Pick<ExportedPart, 'start' | 'end'> & { id: string; vector: string | Uint8Array }>`
    select object_id as id, lower(text_range) as start, upper(text_range) as end,
      ${form === 'numbers' ? sql`embedding::text` : sql`vector_send(embedding::vector)`} as vector
    from ${tablesOf(indexNo).parts}
    where index_no = ${indexNo} and object_id = any(${textArray(ids)}::text[]) and not is_average
    order by object_id, part`.execute(trx);
  const found = new Map<string, ExportedPart[]>();
  for (const { id, start, end, vector } of rows) {
    const parts = found.get(id) ?? [];
    found.set(id, parts);
    parts.push({ start, end, vectorJson: typeof vector === 'string' ? vector : base64Json(vector) });
  }
  return found;
}

function base64Json(sent: Uint8Array): string {
  const floats = readVector(sent);
  return `"${Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength).toString('base64')}"`;
}
