import { z } from 'zod';
import { hitFieldsSchema } from './hit-fields.ts';
import { LIMITS } from './limits.ts';

/** What each hit of a search is, which of them are returned, and how they are found. */
export const searchOptions = {
  fields: hitFieldsSchema.optional(),
  minScore: z
    .number()
    .optional()
    .describe(
      'Only hits with at least this score: from -1 to 1 for the metric `cosine`, 0 at most for `l2`, any number for `ip`. Fewer hits than `limit` are then complete.',
    ),
  group: z
    .enum(['object', 'part'])
    .optional()
    .describe(
      'What a hit is. `object` (default): an object, once, with its best part. `part`: each part, so that an object may be there several times; the average of all parts is none.',
    ),
  offset: z
    .int()
    .min(0)
    .max(LIMITS.searchLimit - 1)
    .optional()
    .describe(
      `Hits to skip: at most ${LIMITS.searchLimit} together with \`limit\`. Send it for every page, 0 for the first: all of them then cut the same ranking of ${LIMITS.searchLimit}, without repeats or gaps as long as the index does not change.`,
    ),
  exact: z.boolean().optional().describe('Compare every part that passes the filter, without the HNSW index.'),
  ef: z
    .int()
    .min(1)
    .max(LIMITS.efSearch)
    .optional()
    .describe(
      'Width of the search in the HNSW index (`hnsw.ef_search`): larger finds more of the nearest objects and takes longer. Default: chosen by `limit`, at least 40.',
    ),
};

interface Options {
  mode: 'vector' | 'text' | 'hybrid';
  limit: number;
  offset?: number | undefined;
  minScore?: number | undefined;
  group?: 'object' | 'part' | undefined;
}

/** Returns what contradicts itself in the options of a search, by field. */
export function searchOptionProblems(options: Options): { path: string; message: string }[] {
  const { mode, limit, offset = 0, minScore, group } = options;
  const onlyVector = 'only for mode vector';
  const problems = [
    offset + limit > LIMITS.searchLimit && {
      path: 'offset',
      message: `offset and limit must be at most ${LIMITS.searchLimit} together`,
    },
    mode !== 'vector' && minScore !== undefined && { path: 'minScore', message: onlyVector },
    mode !== 'vector' && group === 'part' && { path: 'group', message: `part: ${onlyVector}` },
  ];
  return problems.filter((problem) => problem !== false);
}
