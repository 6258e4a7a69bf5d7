import { z } from 'zod';
import { type Json, type JsonLimits, jsonProblem, METADATA_LIMITS, PAYLOAD_LIMITS, storageProblem } from './json.ts';
import { LIMITS } from './limits.ts';

const encoder = new TextEncoder();

/** Refuses a JSON value that cannot be stored as it is, or has more bytes, levels or values than allowed. */
function storable(mostBytes: number, limits: JsonLimits) {
  return (value: unknown, ctx: z.RefinementCtx) => {
    const problem = jsonProblem(value, limits);
    if (problem) ctx.addIssue({ code: 'custom', path: problem.path.slice(0, NAMED_STEPS), message: problem.message });
    else if (bytesAbove(JSON.stringify(value), mostBytes)) {
      ctx.addIssue({ code: 'custom', message: `at most ${mostBytes} bytes of JSON` });
    }
  };
}

/** Of the path of a problem: the rest of it may be as long as the value. */
const NAMED_STEPS = 8;

/** Without encoding what is far from the limit: a UTF-16 unit becomes one to three bytes. */
function bytesAbove(text: string, most: number): boolean {
  if (text.length > most) return true;
  return text.length * 3 > most && encoder.encode(text).length > most;
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

/**
 * Any JSON object; its insides are checked by what stores them. It is passed on as it is: a validator that copies drops
 * the key `__proto__`.
 */
export const jsonObjectSchema = z
  .custom<Record<string, Json>>(isJsonObject, 'must be an object')
  .meta({ type: 'object', additionalProperties: {} });
const anyJson = z.unknown() as unknown as z.ZodType<Json>;

export const metadataSchema = jsonObjectSchema.superRefine(storable(LIMITS.metadataBytes, METADATA_LIMITS));
export type Metadata = z.output<typeof metadataSchema>;

/** Text, or JSON with text fields. */
export const payloadSchema = z
  .custom<string | Json[] | Record<string, Json>>(isPayload, 'must be a text, an object or an array')
  .superRefine(storable(LIMITS.payloadBytes, PAYLOAD_LIMITS))
  .meta({ type: ['string', 'object', 'array'] as never });
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

/** The same as a line or an element: the id alone will do. */
export const deletionItemSchema = z
  .union([objectIdSchema, deletionSchema], { error: 'must be an id or an object with an id' })
  .transform((id) => (typeof id === 'string' ? { id } : id));

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
    timeoutSeconds: z
      .number()
      .min(0.1)
      .max(LIMITS.searchSeconds)
      .optional()
      .describe('Time for the whole search, the embedding of the text included. The default is a setting.'),
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
  omitted: z
    .array(z.enum(['payload', 'metadata']))
    .optional()
    .describe(
      `Left out, with null and {} in their place: the hits of an answer carry ${LIMITS.answerBytes / 2 ** 20} MB together, the best ones first. Get the object to read it.`,
    ),
});
export type Hit = z.output<typeof hitSchema>;

export const searchResultSchema = z.object({
  index: z.string(),
  hits: z.array(hitSchema),
  exact: z
    .boolean()
    .describe(
      'Every part that passes the filter was compared. Otherwise the HNSW index chose, and may miss a near object.',
    ),
  complete: z
    .boolean()
    .describe('False: there are fewer hits than `limit` because the time ended, and more objects may pass the filter.'),
  reason: z
    .enum(['no-known-words'])
    .optional()
    .describe(
      'Why there are no hits. `no-known-words`: the model knows no word of the text, so nothing is near to it.',
    ),
});
export type SearchResult = z.output<typeof searchResultSchema>;

function isJsonObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPayload(value: unknown): boolean {
  return typeof value === 'string' || (typeof value === 'object' && value !== null);
}
