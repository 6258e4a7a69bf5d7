import { type Tool, tool } from 'ai';
import { z } from 'zod';
import type { ReembedClient, SearchInput } from '../../client/client.ts';
import { LIMITS } from '../../contract/limits.ts';
import { type BoundedHit, boundedHits } from '../bounded-hits.ts';
import { parseOptions } from '../options.ts';
import { type FullSearchOptions, searchFully } from '../search-fully.ts';

export interface SearchToolOptions extends Pick<FullSearchOptions, 'timeoutSeconds' | 'canary'> {
  client: ReembedClient;
  /** Name of an index or alias. */
  index: string;
  /** Says to the language model what the index contains and when to search it. */
  description?: string;
  /** Max. hits of one search; the model may ask for fewer. Default: 5. */
  limit?: number;
  /** Always applied; the model neither sees nor changes it. */
  filter?: SearchInput['filter'];
  /** Max. characters of the texts and metadata of one search; default: 20,000. */
  maxChars?: number;
}

const optionsSchema = z.object({
  index: z.string().min(1),
  limit: z.int().min(1).max(LIMITS.searchLimit).default(5),
  maxChars: z.int().min(100).max(1_000_000).default(20_000),
});

export interface FoundTexts {
  hits: BoundedHit[];
  /** False: the search timed out, and more may match. */
  complete: boolean;
}

/**
 * Makes the tool with which a language model searches an index by meaning. Errors of a search reach the model as tool
 * errors. Error: `InvalidInput` for bad options.
 *
 * @example
 * const tools = { search: searchTool({ client, index: 'docs', description: 'Searches the manual.' }) };
 * const { text } = await generateText({ model, tools, stopWhen: stepCountIs(5), prompt });
 */
export function searchTool(
  options: SearchToolOptions,
): Tool<{ query: string; limit?: number | undefined }, FoundTexts> {
  const { client, filter, timeoutSeconds, canary } = options;
  const { index, limit: maxHits, maxChars } = parseOptions(optionsSchema, options);
  const {
    description = 'Finds texts by their meaning, best first. The score is higher for a text that is more similar.',
  } = options;
  return tool({
    description,
    inputSchema: z.object({
      query: z.string().min(1).max(10_000).describe('What to look for, in natural language.'),
      limit: z.int().min(1).max(maxHits).optional().describe(`Max. number of texts; default: ${maxHits}.`),
    }),
    execute: async ({ query, limit = maxHits }): Promise<FoundTexts> => {
      const search = { text: query, limit, filter };
      const found = await searchFully(client, index, search, { timeoutSeconds, canary, allowIncomplete: true });
      return { hits: boundedHits(found.hits, maxChars), complete: found.complete };
    },
  });
}
