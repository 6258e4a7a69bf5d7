import { endianness } from 'node:os';
import type { Vector } from '../contract/vectors.ts';

// Array parameters in Postgres's binary format; node-postgres sends a `Buffer` unchanged. In text format, each number
// of a vector is printed here and parsed there, and each quote of a JSON text is escaped twice, which costs more than
// the rest of a batch of writes. The statement names the type: `${textArray(ids)}::text[]`. Format: array_recv
// (src/backend/utils/adt/arrayfuncs.c of Postgres), vector_recv (src/vector.c of pgvector).

/** OIDs of Postgres's built-in types (src/include/catalog/pg_type.dat). */
const OID = { bool: 16, int8: 20, int4: 23, text: 25 } as const;

const isLittleEndian = endianness() === 'LE';

const HEADER_BYTES = 20;
const NULL = 0xffff_ffff;

/** Encodes a parameter of type `text[]`; bytes must be UTF-8. */
export function textArray(values: readonly (string | Uint8Array | null)[]): Buffer {
  const lengths = values.map((value) => (value === null ? 0 : Buffer.byteLength(value)));
  const bytes = lengths.reduce((sum, length) => sum + 4 + length, 0);
  const buffer = withHeader(OID.text, values, bytes);
  let at = HEADER_BYTES;
  for (const [place, value] of values.entries()) {
    at = buffer.writeUInt32BE(value === null ? NULL : (lengths[place] as number), at);
    if (typeof value === 'string') at += buffer.write(value, at);
    else if (value !== null) {
      buffer.set(value, at);
      at += value.length;
    }
  }
  return buffer;
}

/** Encodes a parameter of type `bigint[]`; the values must be safe integers. */
export function bigintArray(values: readonly (number | null)[]): Buffer {
  return fixedArray(OID.int8, 8, values, (buffer, value, at) => buffer.writeBigInt64BE(BigInt(value), at));
}

/** Encodes a parameter of type `int[]`. */
export function intArray(values: readonly (number | null)[]): Buffer {
  return fixedArray(OID.int4, 4, values, (buffer, value, at) => buffer.writeInt32BE(value, at));
}

/** Encodes a parameter of type `boolean[]`. */
export function booleanArray(values: readonly boolean[]): Buffer {
  return fixedArray(OID.bool, 1, values, (buffer, value, at) => buffer.writeUInt8(value ? 1 : 0, at));
}

/** Encodes values that have the same number of bytes. */
function fixedArray<T>(
  typeOid: number,
  bytes: number,
  values: readonly (T | null)[],
  write: (buffer: Buffer, value: T, at: number) => number,
): Buffer {
  const nulls = values.reduce((count, value) => count + (value === null ? 1 : 0), 0);
  const buffer = withHeader(typeOid, values, values.length * (4 + bytes) - nulls * bytes);
  let at = HEADER_BYTES;
  for (const value of values) {
    at = buffer.writeUInt32BE(value === null ? NULL : bytes, at);
    if (value !== null) at = write(buffer, value, at);
  }
  return buffer;
}

/** Encodes a parameter of type `vector[]`; `typeOid` is the oid of `vector`, which differs between databases. */
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

/** Reads what `vector_send` returns: the number of dimensions, two reserved bytes, and the numbers. */
export function readVector(sent: Uint8Array): Float32Array {
  const bytes = Uint8Array.prototype.slice.call(sent, VECTOR_HEADER_BYTES);
  if (isLittleEndian) Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).swap32();
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

const VECTOR_HEADER_BYTES = 4;

/** Writes the header: number of dimensions, null flag, element type, length and lower bound. */
function withHeader(typeOid: number, values: readonly unknown[], bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + bytes);
  buffer.writeUInt32BE(1, 0);
  buffer.writeUInt32BE(values.includes(null) ? 1 : 0, 4);
  buffer.writeUInt32BE(typeOid, 8);
  buffer.writeUInt32BE(values.length, 12);
  buffer.writeUInt32BE(1, 16);
  return buffer;
}
