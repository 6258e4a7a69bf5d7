import { mkdtempSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ExportedObject } from '../../src/contract/export.ts';
import { decodeVector } from '../../src/contract/ready-parts.ts';
import { readParquet } from '../../src/parquet/read.ts';
import { type ParquetPiece, writeParquet } from '../../src/parquet/write.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'reembed-parquet-'));

export const fileOf = (name: string) => path.join(folder, name);

export function exported(id: string, over: Partial<ExportedObject> = {}): ExportedObject {
  const part = { start: 0, end: 3, text: 'one', vector: [1, 2, 3] };
  const given = { payload: 'one', metadata: {}, originalId: null, uri: null, failed: false, parts: [part] };
  return { id, version: 1, ...given, ...over };
}

export async function piecesOf(objects: readonly ExportedObject[]): Promise<ParquetPiece[]> {
  async function* given() {
    yield* objects;
  }
  const pieces: ParquetPiece[] = [];
  for await (const piece of writeParquet(given(), { index: 'docs' })) pieces.push(piece);
  return pieces;
}

/** Writes a file and returns its bytes. */
export async function write(file: string, objects: readonly ExportedObject[]): Promise<Buffer> {
  const bytes = Buffer.concat((await piecesOf(objects)).map((piece) => piece.bytes));
  await writeFile(file, bytes);
  return bytes;
}

/** What a file has, with the bits of the vectors. */
export async function read(file: string): Promise<object[]> {
  const found: object[] = [];
  for await (const object of await readParquet(file)) found.push(withBits(object as ExportedObject));
  return found;
}

/** Without the field that only lines have. */
export function withBits({ parts, indexCreateTime: _, ...object }: ExportedObject): object {
  const bitsOf = (vector: string | number[]) => Buffer.from(decodeVector(vector).buffer).toString('hex');
  return { ...object, parts: parts.map(({ vector, ...part }) => ({ ...part, bits: bitsOf(vector) })) };
}
