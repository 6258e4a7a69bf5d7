import { z } from 'zod';
import { databaseNameSchema, unavailableSchema } from './databases.ts';
import { filterSchema } from './filters.ts';
import { nameSchema } from './indexes.ts';
import { LIMITS } from './limits.ts';
import { metadataSchema, objectIdSchema } from './objects.ts';
import { notBlank, plainText } from './texts.ts';

/** Sets of queries, with or without judgments, by which indexes are evaluated. */

export const judgmentSchema = z.strictObject({
  id: objectIdSchema.describe('Id of an object.'),
  grade: z
    .int()
    .min(0)
    .max(LIMITS.grade)
    .default(1)
    .describe('How relevant the object is; 0: judged, and not relevant.'),
});

export const querySchema = z.strictObject({
  id: objectIdSchema.describe('Id of the query, unique in its set.'),
  text: notBlank(plainText(LIMITS.queryChars)).describe('Embedded with the model of each index, as a query.'),
  relevant: z
    .array(judgmentSchema)
    .max(LIMITS.judgmentsPerQuery)
    .superRefine((judgments, ctx) => {
      const seen = new Set<string>();
      judgments.forEach(({ id }, at) => {
        if (seen.has(id)) ctx.addIssue({ code: 'custom', path: [at, 'id'], message: 'is judged twice' });
        seen.add(id);
      });
    })
    .default([])
    .describe('Judgments; without any, the query only shows how the results of two indexes differ.'),
  metadata: metadataSchema
    .optional()
    .describe('Fields by which the scores can be broken down, such as the language or the tenant.'),
});
export type Query = z.output<typeof querySchema>;
export type QueryInput = z.input<typeof querySchema>;

export const maxMissingSchema = z
  .number()
  .min(0)
  .max(1)
  .default(0.1)
  .describe('Maximum share of the judgments whose objects may be missing in the index.');

/** A set made from an index: one sentence of an object is the query, and the object is its answer. */
export const knownItemSchema = z.strictObject({
  index: nameSchema.describe('Name of an index or an alias.'),
  queries: z.int().min(1).max(LIMITS.queriesPerSet).default(200).describe('Maximum queries; one per object.'),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(1)
    .describe('The same seed and the same objects make the same queries.'),
  filter: filterSchema.optional(),
  metadataFields: z
    .array(z.string().min(1).max(200))
    .max(20)
    .default([])
    .describe('Top-level metadata fields of the object to copy to its query, for breakdowns.'),
});
export type KnownItem = z.output<typeof knownItemSchema>;

export const querySetInputSchema = z
  .strictObject({
    queries: z
      .array(querySchema)
      .min(1)
      .max(LIMITS.queriesPerSet)
      .superRefine((queries, ctx) => {
        const first = new Map<string, number>();
        queries.forEach(({ id }, at) => {
          const before = first.get(id);
          if (before === undefined) first.set(id, at);
          else ctx.addIssue({ code: 'custom', path: [at, 'id'], message: `the same id as queries.${before}` });
        });
      })
      .optional()
      .describe('The queries; they replace those of an existing set.'),
    knownItem: knownItemSchema.optional().describe('Makes the queries from the objects of an index instead.'),
    checkIndex: nameSchema
      .optional()
      .describe('An index or alias that should have the judged objects; without it, an evaluation checks them.'),
    maxMissing: maxMissingSchema,
    database: databaseNameSchema
      .optional()
      .describe('The database of the indexes that it is for. Default: that of `checkIndex` or `knownItem`, or `main`.'),
  })
  .refine((set) => (set.queries === undefined) !== (set.knownItem === undefined), {
    path: ['queries'],
    message: 'give either queries or knownItem',
  })
  .refine((set) => set.knownItem === undefined || set.checkIndex === undefined, {
    path: ['checkIndex'],
    message: 'is not needed with knownItem: its objects exist',
  })
  .meta({
    id: 'QuerySetInput',
    examples: [{ queries: [{ id: 'q1', text: 'big cat', relevant: [{ id: 'a', grade: 1 }] }] }],
  });
export type QuerySetInput = z.output<typeof querySetInputSchema>;
export type QuerySetRequest = z.input<typeof querySetInputSchema>;

export const missingSchema = z
  .object({
    judgments: z.int().describe('Judgments whose objects do not exist in the index.'),
    share: z.number().describe('Their share of all judgments.'),
    examples: z.array(z.object({ query: z.string(), id: z.string() })).describe('Some of them.'),
  })
  .describe('Judgments for objects that do not exist.');
export type Missing = z.output<typeof missingSchema>;

export const querySetInfoSchema = z
  .object({
    name: z.string(),
    queries: z.int(),
    judged: z.int().describe('Queries with at least one relevant object.'),
    judgments: z.int(),
    bytes: z.int().describe('Bytes of the texts, judgments and metadata.'),
    knownItem: z
      .object({ index: z.string(), seed: z.int() })
      .nullable()
      .describe('The index that the set was made from, if it was.'),
    sampled: z
      .object({ alias: z.string(), seed: z.int().nullable().describe('Null: the most recent texts.') })
      .nullable()
      .describe('The alias whose sampled searches the set was made from, if it was.'),
    createTime: z.iso.datetime(),
    updateTime: z.iso.datetime(),
  })
  .meta({ id: 'QuerySet' });
export type QuerySetInfo = z.output<typeof querySetInfoSchema>;

export const querySetListSchema = z
  .object({ querySets: z.array(querySetInfoSchema), unavailable: unavailableSchema })
  .meta({ id: 'QuerySetList' });

export const querySetSavedSchema = querySetInfoSchema
  .extend({
    missing: missingSchema.nullable().describe('Null without `checkIndex`.'),
  })
  .meta({ id: 'QuerySetSaved' });
export type QuerySetSaved = z.output<typeof querySetSavedSchema>;

export const storedQuerySchema = z.object({
  id: z.string(),
  text: z.string(),
  relevant: z.array(z.object({ id: z.string(), grade: z.int() })),
  metadata: z.record(z.string(), z.unknown()),
});
export type StoredQuery = z.output<typeof storedQuerySchema>;

export const queryPageSchema = z
  .object({
    queries: z.array(storedQuerySchema),
    cursor: z.string().nullable().describe('Cursor of the next page; null after the last page.'),
  })
  .meta({ id: 'QueryPage' });
export type QueryPage = z.output<typeof queryPageSchema>;
