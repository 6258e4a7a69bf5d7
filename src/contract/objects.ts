import { z } from 'zod';
import { LIMITS } from './limits.ts';

const encoder = new TextEncoder();
const jsonBytes = (value: unknown) => encoder.encode(JSON.stringify(value)).length;
/** Postgres stores neither NUL in text nor in jsonb; a lone surrogate is no valid UTF-8. */
const storable = (text: string) => !text.includes('\u0000') && text.isWellFormed();

export const objectIdSchema = z
  .string()
  .min(1)
  .max(LIMITS.objectIdChars, `at most ${LIMITS.objectIdChars} characters`)
  .refine(storable, 'must be well-formed text without NUL characters');

export const versionSchema = z.int().min(1);

export const metadataSchema = z
  .record(z.string(), z.json())
  .refine((metadata) => jsonBytes(metadata) <= LIMITS.metadataBytes, `at most ${LIMITS.metadataBytes} bytes of JSON`)
  .refine((metadata) => storable(JSON.stringify(metadata)) && !JSON.stringify(metadata).includes('\\u0000'), {
    message: 'must be well-formed text without NUL characters',
  });
export type Metadata = z.output<typeof metadataSchema>;

/** Text, or JSON with text fields. */
export const payloadSchema = z
  .union([z.string(), z.record(z.string(), z.json()), z.array(z.json())], {
    error: 'must be a text, an object or an array',
  })
  .refine((payload) => jsonBytes(payload) <= LIMITS.payloadBytes, `at most ${LIMITS.payloadBytes} bytes`)
  .refine((payload) => !JSON.stringify(payload).includes('\\u0000'), 'must not contain NUL characters')
  .refine((payload) => typeof payload !== 'string' || payload.isWellFormed(), 'must be well-formed text');
export type Payload = z.output<typeof payloadSchema>;

/** One object to upsert: a `payload`, or a `uri` to load it from. */
export const itemSchema = z
  .strictObject({
    id: objectIdSchema,
    payload: payloadSchema.optional(),
    uri: z.string().min(1).max(2_000).optional(),
    metadata: metadataSchema.optional(),
    version: versionSchema.optional(),
    originalId: objectIdSchema.optional(),
  })
  .refine((item) => (item.payload === undefined) !== (item.uri === undefined), {
    path: ['payload'],
    message: 'give either payload or uri',
  })
  .refine((item) => item.originalId !== item.id, { path: ['originalId'], message: 'must be another object' });
export type Item = z.output<typeof itemSchema>;

/** One object to delete. */
export const deletionSchema = z.strictObject({ id: objectIdSchema, version: versionSchema.optional() });
export type Deletion = z.output<typeof deletionSchema>;

export const objectSchema = z.object({
  id: z.string(),
  version: z.int(),
  payload: z.json(),
  metadata: z.record(z.string(), z.json()),
  originalId: z.string().nullable(),
  uri: z.string().nullable(),
  /** It could not be embedded; a search does not find it. */
  failed: z.boolean(),
});
export type StoredObject = z.output<typeof objectSchema>;

export const searchSchema = z
  .strictObject({
    text: z.string().min(1).max(100_000).optional(),
    vector: z.array(z.number()).min(1).max(LIMITS.dimensions).optional(),
    limit: z.int().min(1).max(LIMITS.searchLimit).default(10),
    /** Only objects whose metadata contains this JSON (Postgres `@>`). */
    filter: z.record(z.string(), z.json()).optional(),
  })
  .refine((search) => (search.text === undefined) !== (search.vector === undefined), {
    path: ['text'],
    message: 'give either text or vector',
  });
export type Search = z.output<typeof searchSchema>;

export const hitSchema = z.object({
  id: z.string(),
  /** Higher is nearer: cosine similarity, inner product, or minus the Euclidean distance. */
  score: z.number(),
  /** The part that matched; null for the average of all parts. */
  part: z.int().nullable(),
  version: z.int(),
  payload: z.json(),
  metadata: z.record(z.string(), z.json()),
});
export type Hit = z.output<typeof hitSchema>;

export const searchResultSchema = z.object({ index: z.string(), hits: z.array(hitSchema) });
export type SearchResult = z.output<typeof searchResultSchema>;
