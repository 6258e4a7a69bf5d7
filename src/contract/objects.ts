import { z } from 'zod';
import { type Json, storageProblem } from './json.ts';
import { LIMITS } from './limits.ts';

const encoder = new TextEncoder();

/** Refuses a JSON value that cannot be stored, or has more bytes than allowed. */
function storable(mostBytes: number) {
  return (value: unknown, ctx: z.RefinementCtx) => {
    const problem = storageProblem(value);
    if (problem) ctx.addIssue({ code: 'custom', message: problem });
    else if (encoder.encode(JSON.stringify(value)).length > mostBytes) {
      ctx.addIssue({ code: 'custom', message: `at most ${mostBytes} bytes of JSON` });
    }
  };
}

export const objectIdSchema = z
  .string()
  .min(1)
  .max(LIMITS.objectIdChars, `at most ${LIMITS.objectIdChars} characters`)
  .refine((id) => id !== '.' && id !== '..', 'must not be . or .., which no URL can name')
  .superRefine((id, ctx) => {
    const problem = storageProblem(id);
    if (problem) ctx.addIssue({ code: 'custom', message: problem });
  })
  .meta({ not: { enum: ['.', '..'] }, examples: ['a'] });

export const versionSchema = z.int().min(1).max(Number.MAX_SAFE_INTEGER);

/** Any JSON object; its insides are checked by what stores them. */
export const jsonObjectSchema = z.record(z.string(), z.unknown()) as unknown as z.ZodType<Record<string, Json>>;
const anyJson = z.unknown() as unknown as z.ZodType<Json>;

export const metadataSchema = jsonObjectSchema.superRefine(storable(LIMITS.metadataBytes));
export type Metadata = z.output<typeof metadataSchema>;

/** Text, or JSON with text fields. */
export const payloadSchema = z
  .union([z.string(), jsonObjectSchema, z.array(anyJson)], { error: 'must be a text, an object or an array' })
  .superRefine(storable(LIMITS.payloadBytes));
export type Payload = z.output<typeof payloadSchema>;

/** One object to upsert: a `payload`, or a `uri` to load it from. */
export const itemSchema = z
  .strictObject({
    id: objectIdSchema,
    payload: payloadSchema.optional().describe('Text, or JSON with text fields: at most 10 MB.'),
    uri: z
      .string()
      .min(1)
      .max(2_000)
      .refine((uri) => storageProblem(uri) === undefined, 'must be a URI')
      .optional()
      .describe('Where to load the payload from: `http:`, `https:` or, where that is allowed, `file:`.'),
    metadata: metadataSchema.optional().describe('To filter searches by: at most 64 KB.'),
    version: versionSchema.optional().describe('Of an index with `versioning: external`: the higher one wins.'),
    originalId: objectIdSchema
      .optional()
      .describe('The object that this one is derived from, and is deleted with: another one.'),
  })
  .refine((item) => (item.payload === undefined) !== (item.uri === undefined), {
    path: ['payload'],
    message: 'give either payload or uri',
  })
  .refine((item) => item.originalId !== item.id, { path: ['originalId'], message: 'must be another object' })
  .meta({ id: 'Item', oneOf: [{ required: ['payload'] }, { required: ['uri'] }] });
export type Item = z.output<typeof itemSchema>;

/** One object to delete. */
export const deletionSchema = z.strictObject({
  id: objectIdSchema,
  version: versionSchema.optional().describe('Of an index with `versioning: external`.'),
});
export type Deletion = z.output<typeof deletionSchema>;

export const objectSchema = z.object({
  id: z.string(),
  version: z.int(),
  payload: anyJson,
  metadata: jsonObjectSchema,
  originalId: z.string().nullable(),
  uri: z.string().nullable(),
  failed: z.boolean().describe('It could not be embedded; a search does not find it.'),
});
export type StoredObject = z.output<typeof objectSchema>;

export const searchSchema = z
  .strictObject({
    text: z.string().min(1).max(100_000).optional().describe("Embedded with the index's own model."),
    vector: z
      .array(z.number())
      .min(1)
      .max(LIMITS.dimensions)
      .optional()
      .describe('With as many dimensions as the index has.'),
    limit: z.int().min(1).max(LIMITS.searchLimit).default(10).describe('Most objects in the answer.'),
    filter: metadataSchema.optional().describe('Only objects whose metadata contains this JSON (Postgres `@>`).'),
  })
  .refine((search) => (search.text === undefined) !== (search.vector === undefined), {
    path: ['text'],
    message: 'give either text or vector',
  })
  .meta({ oneOf: [{ required: ['text'] }, { required: ['vector'] }] });
export type Search = z.output<typeof searchSchema>;

export const hitSchema = z.object({
  id: z.string(),
  score: z.number().describe('Higher is nearer: cosine similarity, inner product, or minus the Euclidean distance.'),
  part: z.int().nullable().describe('The part that matched; null for the average of all parts.'),
  version: z.int(),
  payload: anyJson,
  metadata: jsonObjectSchema,
});
export type Hit = z.output<typeof hitSchema>;

export const searchResultSchema = z.object({ index: z.string(), hits: z.array(hitSchema) });
export type SearchResult = z.output<typeof searchResultSchema>;
