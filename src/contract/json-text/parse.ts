import { type Json, type JsonLimits, MAX_LEVELS } from '../json.ts';
import { JsonTextError } from './error.ts';
import { repeatedField } from './places.ts';
import { JsonScan } from './scan.ts';
import type { VectorPath } from './vector-places.ts';

/** Limits of a text with one payload and everything that belongs to it. */
export const TEXT_LIMITS: JsonLimits = { levels: MAX_LEVELS + 10, values: 150_000 };

export interface ParseOptions {
  limits?: JsonLimits;
  /** Where vectors are, whose numbers are rounded to the nearest double. */
  vectors?: VectorPath | undefined;
}

/**
 * Parses one JSON text. Everything is kept exactly or refused: invalid UTF-8 and lone surrogates, numbers that
 * a double changes, duplicate fields, and more levels or values than the limits allow, which is detected before
 * anything is allocated. A leading byte order mark is skipped. Keys such as `__proto__` become own properties.
 * @throws JsonTextError
 */
export function parseJsonText(source: Uint8Array | string, options: ParseOptions = {}): Json {
  const bytes = withoutMark(typeof source === 'string' ? encodeText(source) : source);
  const { limits = TEXT_LIMITS, vectors } = options;
  const scan = new JsonScan(bytes, limits, vectors);
  scan.run();
  const text = decodeUtf8(bytes);
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (cause) {
    throw new JsonTextError('is not valid JSON', { text, cause });
  }
  if (countFields(value) < scan.fields) {
    throw new JsonTextError('must not occur twice', { path: repeatedField(bytes) ?? [] });
  }
  return value;
}

/** Decodes strict UTF-8. @throws JsonTextError with the offset of the first invalid byte */
function decodeUtf8(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch (cause) {
    throw new JsonTextError(`is not UTF-8: the byte at offset ${firstBadByte(bytes)} is not valid`, { cause });
  }
}

/** Removes the byte order mark, which belongs to the encoding and not to the text. */
export function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Finds the first invalid byte by bisection; decodes as a stream, so that a cut character is not an error. */
function firstBadByte(bytes: Uint8Array): number {
  let [good, bad] = [0, bytes.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isUtf8Start(bytes.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

function isUtf8Start(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

function encodeText(text: string): Uint8Array {
  if (!text.isWellFormed()) throw new JsonTextError('must be well-formed Unicode');
  return new TextEncoder().encode(text);
}

function countFields(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0;
  let fields = 0;
  if (Array.isArray(value)) for (const element of value) fields += countFields(element);
  else {
    const keys = Object.keys(value);
    fields += keys.length;
    for (const key of keys) fields += countFields(value[key] as Json);
  }
  return fields;
}
