import { z } from 'zod';
import { storageProblem } from './json.ts';
import { LIMITS } from './limits.ts';
import { FLOAT32_MAX, squaredLength } from './vectors.ts';

/** A vector as it is sent: numbers, or base64 of single-precision numbers in little-endian order. */
export type SentVector = number[] | string;

const BYTES = 4;

const vectorSchema = z
  .custom<SentVector>(
    (value) => typeof value === 'string' || Array.isArray(value),
    'must be an array of numbers, or base64 of single-precision numbers',
  )
  .superRefine((vector, ctx) => {
    const problem = vectorIssue(vector);
    if (problem) ctx.addIssue({ code: 'custom', ...problem });
  })
  .meta({
    type: ['array', 'string'] as never,
    items: { type: 'number' },
    minItems: 1,
    maxItems: LIMITS.dimensions,
    minLength: 8,
  });

const partSchema = z
  .strictObject({
    text: z
      .string()
      .regex(/\S/, 'must not be blank: leave it out')
      .refine((text) => storageProblem(text) === undefined, 'must be well-formed Unicode without NUL')
      .optional()
      .describe('The text of the part; only without a `payload`, which is then the texts of all parts, one per line.'),
    start: z
      .int()
      .min(0)
      .optional()
      .describe('Where the part begins in the text of the `payload`, in UTF-16 code units; needs `end`.'),
    end: z.int().min(1).optional().describe('Where it ends.'),
    vector: vectorSchema.describe(
      'As many numbers as the model of the index has dimensions, or base64 of them as little-endian float32. Stored in single precision. Not all zero.',
    ),
  })
  // The document would call a field of a custom type optional.
  .meta({ required: ['vector'] });

/** The parts of an object whose vectors are ready, in order. */
export const readyPartsSchema = z
  .array(partSchema)
  .min(1)
  .max(LIMITS.partsPerObject)
  .describe(
    'Parts with ready vectors, for an index with `readyVectors`; the model is not called. Parts without a text cannot be embedded again by another model.',
  );
export type ReadyPart = z.output<typeof partSchema>;

/** What is wrong with the parts of an item, beyond each part alone. */
export function partsProblem(
  parts: readonly ReadyPart[],
  hasPayload: boolean,
): { path: (string | number)[]; message: string } | undefined {
  const dimensions = dimensionsOf(parts[0]?.vector ?? '');
  if (parts.length * dimensions > LIMITS.vectorNumbersPerItem) {
    return { path: [], message: `at most ${LIMITS.vectorNumbersPerItem} numbers in all vectors` };
  }
  for (const [at, { text, start, end, vector }] of parts.entries()) {
    const fail = (field: string, message: string) => ({ path: [at, field], message });
    if (dimensionsOf(vector) !== dimensions) return fail('vector', `must have ${dimensions} numbers, like the first`);
    if (hasPayload && text !== undefined) return fail('text', 'not beside a payload: give start and end');
    if (!hasPayload && start !== undefined) return fail('start', 'needs a payload');
    if (start === undefined && end !== undefined) return fail('start', 'needed beside end');
    if (start !== undefined && (end ?? 0) <= start) return fail('end', 'must be after start');
  }
  return undefined;
}

/**
 * Returns parts as they are kept, with vectors as base64, and their payload: without one, the texts of the parts joined by
 * line breaks, and the places of the texts in it.
 */
export function placeParts<P>(
  parts: readonly ReadyPart[],
  payload: P | undefined,
): { payload: P | string; parts: ReadyPart[] } {
  const texts: string[] = [];
  let at = 0;
  const placed = parts.map(({ text, vector, ...place }) => {
    const kept = { ...place, vector: typeof vector === 'string' ? vector : encodeVector(vector) };
    if (text === undefined) return kept;
    const start = at;
    texts.push(text);
    at += text.length + 1;
    return { ...kept, start, end: start + text.length };
  });
  return { payload: payload ?? texts.join('\n'), parts: placed };
}

/** Returns the number of dimensions of a sent vector. */
export function dimensionsOf(vector: SentVector): number {
  if (typeof vector !== 'string') return vector.length;
  const padding = vector.endsWith('==') ? 2 : vector.endsWith('=') ? 1 : 0;
  return (Math.floor((vector.length * 3) / 4) - padding) / BYTES;
}

/** Returns the dimensions of the ready vectors of an item, if it has any; they are the same for all parts. */
export function readyDimensions(item: object): number | undefined {
  const first = 'parts' in item ? (item as { parts?: readonly ReadyPart[] }).parts?.[0] : undefined;
  return first && dimensionsOf(first.vector);
}

/** Writes numbers as base64 of little-endian single precision, which takes less than half of their digits. */
export function encodeVector(vector: ArrayLike<number>): string {
  const bytes = new Uint8Array(vector.length * BYTES);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < vector.length; at++) view.setFloat32(at * BYTES, vector[at] as number, true);
  let binary = '';
  for (let from = 0; from < bytes.length; from += CALL) {
    binary += String.fromCharCode(...bytes.subarray(from, from + CALL));
  }
  return btoa(binary);
}

/** Arguments of one call. */
const CALL = 8_192;

/** Reads a sent vector. The base64 must be valid; see `vectorIssue`. */
export function decodeVector(vector: SentVector): Float32Array {
  if (typeof vector !== 'string') return Float32Array.from(vector);
  const binary = atob(vector);
  const view = new DataView(new ArrayBuffer(binary.length));
  for (let at = 0; at < binary.length; at++) view.setUint8(at, binary.charCodeAt(at));
  return Float32Array.from({ length: Math.floor(binary.length / BYTES) }, (_, at) => view.getFloat32(at * BYTES, true));
}

/** Says why a sent vector cannot be stored and compared. */
function vectorIssue(vector: SentVector): { path: number[]; message: string } | undefined {
  const dimensions = dimensionsOf(vector);
  if (typeof vector === 'string' && !isBase64(vector)) return { path: [], message: 'must be base64, with padding' };
  if (dimensions < 1 || dimensions > LIMITS.dimensions || !Number.isInteger(dimensions)) {
    const numbers = `must have 1 to ${LIMITS.dimensions} numbers`;
    return { path: [], message: typeof vector === 'string' ? `${numbers} of ${BYTES} bytes` : numbers };
  }
  const floats = typeof vector === 'string' ? decodeVector(vector) : vector;
  for (let at = 0; at < floats.length; at++) {
    const value = floats[at] as unknown;
    if (typeof value !== 'number' || !Number.isFinite(value)) return { path: [at], message: 'must be a finite number' };
    if (Math.abs(value) > FLOAT32_MAX) return { path: [at], message: `must be at most ${FLOAT32_MAX}` };
  }
  const squared = Math.fround(squaredLength(floats));
  if (squared > 0 && squared <= FLOAT32_MAX) return undefined;
  const message = squared === 0 ? 'must not be all zero, in single precision' : 'must be shorter, in single precision';
  return { path: [], message };
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}
