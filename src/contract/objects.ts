import { z } from 'zod';
import { filterSchema } from './filters.ts';
import { fullTextProblems, fullTextSearchFields } from './full-text.ts';
import { type Json, PAYLOAD_LIMITS, storageProblem } from './json.ts';
import { LIMITS } from './limits.ts';
import { jsonObjectSchema, metadataSchema, storable } from './metadata.ts';
import { partsProblem, placeParts, readyPartsSchema } from './ready-parts.ts';
import { searchOptionProblems, searchOptions } from './search-options.ts';
import { notBlank } from './texts.ts';
import { writeTokenSchema } from './write-token.ts';

export { isJsonObject, jsonObjectSchema, type Metadata, metadataSchema } from './metadata.ts';

export const objectIdSchema = z
  .string()
  .min(1)
  .max(LIMITS.objectIdChars, `at most ${LIMITS.objectIdChars} characters`)
  .refine((id) => id !== '.' && id !== '..', 'must not be . or .., which cannot be part of a URL')
  .superRefine((id, ctx) => {
    const problem = storageProblem(id);
    if (problem) ctx.addIssue({ code: 'custom', message: problem });
  })
  .meta({ not: { enum: ['.', '..'] }, examples: ['a'] });

export const versionSchema = z.int().min(1).max(Number.MAX_SAFE_INTEGER);

const anyJson = z.unknown() as unknown as z.ZodType<Json>;

/** Text, or JSON with text fields. */
export const payloadSchema = z
  .custom<string | Json[] | Record<string, Json>>(isPayload, 'must be a text, an object or an array')
  .superRefine(storable(LIMITS.payloadBytes, PAYLOAD_LIMITS))
  .meta({ type: ['string', 'object', 'array'] as never });
export type Payload = z.output<typeof payloadSchema>;

/**
 * One object to upsert: a `payload`, a `uri` to load it from, or `parts` with ready vectors. The texts of parts become the
 * payload, and their places in it replace them.
 */
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
      .describe(
        'Address to load the payload from: `http:`, `https:` or, if allowed, `file:`. Only kept beside `parts`.',
      ),
    parts: readyPartsSchema.optional(),
    metadata: metadataSchema.optional().describe('JSON that searches can filter by: at most 64 KB.'),
    version: versionSchema
      .optional()
      .describe('Only for an index with `versioning: external`: the higher version wins.'),
    originalId: objectIdSchema
      .optional()
      .describe('Another object that this one is derived from, and with which it is deleted.'),
  })
  .refine((item) => item.parts !== undefined || (item.payload === undefined) !== (item.uri === undefined), {
    path: ['payload'],
    message: 'give either payload or uri, or parts with vectors',
  })
  .refine((item) => item.originalId !== item.id, { path: ['originalId'], message: 'must be another object' })
  .superRefine(({ parts, payload }, ctx) => {
    const problem = parts && partsProblem(parts, payload !== undefined);
    if (problem) ctx.addIssue({ code: 'custom', path: ['parts', ...problem.path], message: problem.message });
  })
  .overwrite((item) => (item.parts ? { ...item, ...placeParts(item.parts, item.payload) } : item))
  .superRefine(({ parts, payload }, ctx) => {
    if (!parts || typeof payload !== 'string' || payload.length <= LIMITS.payloadBytes / MAX_UTF8) return;
    if (new TextEncoder().encode(payload).length <= LIMITS.payloadBytes) return;
    ctx.addIssue({ code: 'custom', path: ['parts'], message: `at most ${LIMITS.payloadBytes} bytes of text` });
  })
  .meta({
    id: 'Item',
    oneOf: [
      { required: ['payload'], not: { anyOf: [{ required: ['uri'] }, { required: ['parts'] }] } },
      { required: ['uri'], not: { anyOf: [{ required: ['payload'] }, { required: ['parts'] }] } },
      { required: ['parts'] },
    ],
  });
export type Item = z.output<typeof itemSchema>;

/** One object to delete. */
export const deletionSchema = z.strictObject({
  id: objectIdSchema,
  version: versionSchema.optional().describe('Only for an index with `versioning: external`.'),
});
export type Deletion = z.output<typeof deletionSchema>;

/** A deletion as a line or an element; the id alone is enough. */
export const deletionItemSchema = z
  .union([objectIdSchema, deletionSchema], { error: 'must be an id or an object with an id' })
  .transform((id) => (typeof id === 'string' ? { id } : id));

export const objectSchema = z
  .object({
    id: z.string(),
    version: z.int(),
    payload: anyJson,
    metadata: jsonObjectSchema,
    originalId: z.string().nullable(),
    uri: z.string().nullable(),
    failed: z.boolean().describe('True if the object could not be embedded; searches do not find it.'),
  })
  .meta({ id: 'Object' });
export type StoredObject = z.output<typeof objectSchema>;

export const objectPageSchema = z
  .object({
    objects: z.array(objectSchema),
    cursor: z.string().nullable().describe('Cursor of the next page; null after the last page.'),
  })
  .meta({ id: 'ObjectPage' });
export type ObjectPage = z.output<typeof objectPageSchema>;

export const searchSchema = z
  .strictObject({
    text: notBlank(z.string().max(LIMITS.searchTextChars)).optional().describe("Embedded with the index's model."),
    vector: z
      .array(z.number())
      .min(1)
      .max(LIMITS.dimensions)
      .optional()
      .describe('Must have the same number of dimensions as the index.'),
    id: objectIdSchema
      .optional()
      .describe(
        'An object of the index, to find those nearest to it without a call of the model: by its vector or, if it has several parts, by their average. It is not among the hits.',
      ),
    limit: z.int().min(1).max(LIMITS.searchLimit).default(10).describe('Maximum hits in the response.'),
    filter: filterSchema.optional(),
    ...searchOptions,
    ...fullTextSearchFields,
    after: writeTokenSchema
      .optional()
      .describe(
        'The token of a write to find: the `id` of its task. The search waits for it, within its timeout, and the serving index answers, also during a canary.',
      ),
    timeoutSeconds: z
      .number()
      .min(0.1)
      .max(LIMITS.searchSeconds)
      .optional()
      .describe('Timeout of the whole search, including the embedding of the text. Default: `REEMBED_SEARCH_SECONDS`.'),
  })
  .refine(({ text, vector, id }) => [text, vector, id].filter((given) => given !== undefined).length === 1, {
    path: ['text'],
    message: 'give exactly one of text, vector and id',
  })
  .superRefine((search, ctx) => {
    const problems = [...fullTextProblems(search), ...searchOptionProblems(search)];
    for (const { path, message } of problems) ctx.addIssue({ code: 'custom', path: [path], message });
  })
  .meta({
    id: 'Search',
    examples: [{ text: 'big cat', limit: 5, filter: { lang: 'en' } }],
    oneOf: [{ required: ['text'] }, { required: ['vector'] }, { required: ['id'] }],
  });
export type Search = z.output<typeof searchSchema>;

export const hitSchema = z.object({
  id: z.string(),
  score: z
    .number()
    .describe(
      'Higher is more similar: cosine similarity, inner product, or the negative Euclidean distance. By words, and by both: only comparable within one answer.',
    ),
  ranks: z
    .object({ vector: z.int().nullable(), text: z.int().nullable() })
    .optional()
    .describe('Of a `hybrid` search: the place in each ranking, from 1; null where it was not among the first.'),
  part: z.int().nullable().describe('The part that matched; null for the average of all parts.'),
  version: z.int(),
  text: z
    .string()
    .nullable()
    .optional()
    .describe(
      'The text of the part that matched; null for the average of all parts, and for a part without text. Absent if `fields` does not name it.',
    ),
  start: z
    .int()
    .nullable()
    .describe("Where the part begins in the object's text, in UTF-16 code units; null for the average of all parts."),
  end: z.int().nullable().describe('Where it ends: `text` is `whole.slice(start, end)` in JavaScript.'),
  payload: anyJson
    .optional()
    .describe('All of it, or an object with the paths in `fields`; absent if `fields` names neither.'),
  metadata: jsonObjectSchema
    .optional()
    .describe('All of it, or an object with the paths in `fields`; absent if `fields` names neither.'),
  omitted: z
    .array(z.enum(['payload', 'metadata', 'text']))
    .optional()
    .describe(
      `Fields replaced by null or {}: the hits of a response carry at most ${LIMITS.answerBytes / 2 ** 20} MB, best hits first. Get the object to read them.`,
    ),
});
export type Hit = z.output<typeof hitSchema>;

export const searchResultSchema = z
  .object({
    index: z.string(),
    hits: z.array(hitSchema),
    exact: z
      .boolean()
      .describe(
        'True: every part that matches the filter was compared. False: the HNSW index was used and may miss objects.',
      ),
    complete: z
      .boolean()
      .describe(
        'False: because of the timeout there are fewer hits than `limit` or, with `offset`, fewer on all pages together, and more objects may match the filter.',
      ),
    degraded: z
      .boolean()
      .optional()
      .describe('True: the model did not answer, so that only the words of the text were compared.'),
    reason: z
      .enum(['no-known-words'])
      .optional()
      .describe(
        'Why there are no hits. `no-known-words`: the model knows no word of the text, so nothing is similar to it.',
      ),
  })
  .meta({ id: 'SearchResult' });
export type SearchResult = z.output<typeof searchResultSchema>;

/** Bytes of one UTF-16 code unit in UTF-8, at most. */
const MAX_UTF8 = 3;

function isPayload(value: unknown): boolean {
  return typeof value === 'string' || (typeof value === 'object' && value !== null);
}
