import { z } from 'zod';
import { filterSchema } from './filters.ts';
import { fullTextProblems, fullTextSearchFields } from './full-text.ts';
import { nameSchema } from './indexes.ts';
import { LIMITS } from './limits.ts';
import { hitSchema, searchResultSchema, searchSchema } from './objects.ts';
import { problemSchema } from './problem.ts';
import { searchOptionProblems, searchOptions } from './search-options.ts';
import { notBlank } from './texts.ts';

const problem = z.object({ problem: problemSchema.describe('Why there is no result.') });

export const searchBatchSchema = z
  .strictObject({
    searches: z
      .array(searchSchema)
      .min(1)
      .max(LIMITS.searchesPerBatch)
      .describe(
        `At most ${LIMITS.searchesPerBatch} searches. Their texts are embedded together; the timeout of each begins with the call. The hits of each carry its share of the bytes that one search may return.`,
      ),
  })
  .meta({ id: 'SearchBatch', examples: [{ searches: [{ text: 'big cat' }, { text: 'a tree', limit: 3 }] }] });

export const searchBatchResultSchema = z
  .object({
    results: z
      .array(z.union([searchResultSchema, problem]))
      .describe('One for each search, in their order: its result, or the problem that it ended with.'),
  })
  .meta({ id: 'SearchBatchResult' });
export type SearchBatchResult = z.output<typeof searchBatchResultSchema>;

export const searchManySchema = z
  .strictObject({
    indexes: z
      .array(nameSchema)
      .min(1)
      .max(LIMITS.indexesPerSearch)
      .refine((names) => new Set(names).size === names.length, 'must name each index once')
      .describe(`Names of at most ${LIMITS.indexesPerSearch} indexes or aliases.`),
    text: notBlank(z.string().max(LIMITS.searchTextChars)).describe('Embedded with the model of each index.'),
    limit: z.int().min(1).max(LIMITS.searchLimit).default(10).describe('Maximum hits in the response.'),
    fields: searchOptions.fields,
    group: searchOptions.group,
    filter: filterSchema.optional(),
    exact: searchOptions.exact,
    ef: searchOptions.ef,
    ...fullTextSearchFields,
    timeoutSeconds: searchSchema.shape.timeoutSeconds,
  })
  .superRefine((search, ctx) => {
    const problems = [...fullTextProblems(search), ...searchOptionProblems(search)];
    for (const { path, message } of problems) ctx.addIssue({ code: 'custom', path: [path], message });
  })
  .meta({ id: 'SearchMany', examples: [{ indexes: ['docs', 'news'], text: 'big cat', limit: 5 }] });

export const searchManyResultSchema = z
  .object({
    hits: z
      .array(
        hitSchema.extend({
          index: z.string().describe('The index that has the object.'),
          rank: z.int().describe('Its place among the hits of this index, from 1 on.'),
        }),
      )
      .describe(
        'Merged by reciprocal rank: the first hits of all indexes, in the order of the request, then the second ones. Scores of different models are not comparable.',
      ),
    indexes: z
      .array(
        z.union([
          searchResultSchema.omit({ hits: true }).extend({ name: z.string() }),
          problem.extend({ name: z.string() }),
        ]),
      )
      .describe('How each index was searched, or the problem for which its hits are missing.'),
    complete: z.boolean().describe('False if the hits of an index are missing or incomplete: see `indexes`.'),
  })
  .meta({ id: 'SearchManyResult' });
export type SearchManyResult = z.output<typeof searchManyResultSchema>;
