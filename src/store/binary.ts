import { endianness } from 'node:os';
import type { Vector } from '../contract/vectors.ts';

// Arrays as parameters in Postgres's binary form: a `Buffer` is sent as it is. As text, each number of a vector is
// printed here and parsed there, and each quote of a JSON text is escaped twice: that costs more than all else a batch
// of writes costs. The statement says the type: `${textArray(ids)}::text[]`.
// Format: array_recv (src/backend/utils/adt/arrayfuncs.c of Postgres), vector_recv (src/vector.c of pgvector).

/** Object identifiers of Postgres's own types (src/include/catalog/pg_type.dat). */
const OID = { int8: 20, text: 25 } as const;

const isLittleEndian = endianness() === 'LE';

const HEADER_BYTES = 20;
const NULL = 0xffff_ffff;

/** A parameter of type `text[]`. */
export function textArray(values: readonly (string | null)[]): Buffer {
  const lengths = values.map((value) => (value === null ? 0 : Buffer.byteLength(value)));
  const bytes = lengths.reduce((sum, length) => sum + 4 + length, 0);
  const buffer = withHeader(OID.text, values, bytes);
  let at = HEADER_BYTES;
  for (const [place, value] of values.entries()) {
    at = buffer.writeUInt32BE(value === null ? NULL : (lengths[place] as number), at);
    if (value !== null) at += buffer.write(value, at);
  }
  return buffer;
}

/** A parameter of type `bigint[]`, of safe integers. */
export function bigintArray(values: readonly number[]): Buffer {
  const buffer = withHeader(OID.int8, values, values.length * 12);
  let at = HEADER_BYTES;
  for (const value of values) {
    at = buffer.writeUInt32BE(8, at);
    at = buffer.writeBigInt64BE(BigInt(value), at);
  }
  return buffer;
}

/** A parameter of type `vector[]`; `typeOid` is the type's identifier, which differs between databases. */
export function vectorArray(vectors: readonly Vector[], typeOid: number): Buffer {
  const bytes = vectors.reduce((sum, { length }) => sum + 8 + length * 4, 0);
  const buffer = withHeader(typeOid, vectors, bytes);
  let at = HEADER_BYTES;
  for (const vector of vectors) {
    at = buffer.writeUInt32BE(4 + vector.length * 4, at);
    at = buffer.writeUInt16BE(vector.length, at);
    at = buffer.writeUInt16BE(0, at); // reserved
    const floats = vector instanceof Float32Array ? vector : Float32Array.from(vector);
    const start = at;
    at += Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength).copy(buffer, start);
    if (isLittleEndian) buffer.subarray(start, at).swap32();
  }
  return buffer;
}

/** Number of dimensions, whether there are nulls, type of the elements, their number, the first one's index. */
function withHeader(typeOid: number, values: readonly unknown[], bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + bytes);
  buffer.writeUInt32BE(1, 0);
  buffer.writeUInt32BE(values.includes(null) ? 1 : 0, 4);
  buffer.writeUInt32BE(typeOid, 8);
  buffer.writeUInt32BE(values.length, 12);
  buffer.writeUInt32BE(1, 16);
  return buffer;
}
