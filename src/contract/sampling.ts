import { z } from 'zod';
import { durationSchema } from './duration-schema.ts';
import { durationMs } from './durations.ts';
import { nameSchema } from './indexes.ts';
import { LIMITS } from './limits.ts';
import { plainText } from './texts.ts';

/** Searches by an alias that are kept as samples, and the query sets made from them. */

const MIN_KEEP = '1m';
const MAX_KEEP = '90d';

export const samplingInputSchema = z
  .strictObject({
    share: z
      .number()
      .min(0)
      .max(1)
      .describe('Share of the searches by text to keep. 0 keeps no further ones; those kept before still expire.'),
    keep: durationSchema
      .refine((keep) => durationMs(keep) >= durationMs(MIN_KEEP) && durationMs(keep) <= durationMs(MAX_KEEP), {
        message: `at least ${MIN_KEEP} and at most ${MAX_KEEP}`,
      })
      .default('7d')
      .describe(`For how long a search is kept: ${MIN_KEEP} to ${MAX_KEEP}, in seconds or as a text such as \`7d\`.`),
  })
  .meta({ id: 'SamplingInput', examples: [{ share: 0.01, keep: '7d' }] });
export type SamplingRequest = z.input<typeof samplingInputSchema>;

export const samplingSchema = z
  .object({
    alias: z.string(),
    share: z.number().describe('0: no searches are kept.'),
    keep: z.string().nullable().describe('For how long; null if the alias has never kept any.'),
    searches: z.int().describe(`Searches that are kept now: the newest ${LIMITS.sampledSearches} at most.`),
    oldest: z.iso.datetime().nullable(),
    newest: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Sampling' });
export type Sampling = z.output<typeof samplingSchema>;

/** A text that can be a query of a set; longer ones are not kept. */
export const sampledTextSchema = plainText(LIMITS.queryChars).min(1);

export const sampledSearchSchema = z
  .object({
    id: z.string(),
    text: z.string(),
    time: z.iso.datetime(),
    index: z.string().describe('The index that answered.'),
    limit: z.int().describe('Maximum objects that the search asked for.'),
    filtered: z.boolean().describe('Whether the search had a filter.'),
    hits: z.array(z.string()).describe(`Ids of the objects found, best first: the first ${LIMITS.evaluationDepth}.`),
  })
  .meta({ id: 'SampledSearch' });
export type SampledSearch = z.output<typeof sampledSearchSchema>;

export const sampledSearchPageSchema = z
  .object({
    searches: z.array(sampledSearchSchema),
    cursor: z.string().nullable().describe('Cursor of the next page; null after the last page.'),
  })
  .meta({ id: 'SampledSearchPage' });
export type SampledSearchPage = z.output<typeof sampledSearchPageSchema>;

/** A set of the different texts among the sampled searches of an alias. */
export const sampledSetSchema = z
  .strictObject({
    alias: nameSchema.describe('An alias that samples its searches.'),
    count: z.int().min(1).max(LIMITS.queriesPerSet).default(200).describe('Maximum queries, each with another text.'),
    seed: z
      .int()
      .min(0)
      .max(2 ** 31 - 1)
      .optional()
      .describe('Picks texts at random: the same seed and searches make the same set. Default: the most recent texts.'),
  })
  .meta({ id: 'SampledSet', examples: [{ alias: 'docs', count: 200 }] });
export type SampledSet = z.output<typeof sampledSetSchema>;
export type SampledSetRequest = z.input<typeof sampledSetSchema>;
