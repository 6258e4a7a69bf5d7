import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { searchResultSchema, searchSchema } from '../contract/objects.ts';
import { CANARY_HEADER, CANARY_SIDES } from '../contract/read-shares.ts';
import { resolveWithReads } from '../store/protocol/reads.ts';
import { jsonBody } from './body/json.ts';
import { roomForAnswer, sendCounted } from './body/memory.ts';
import { createRouter } from './create-router.ts';
import { MODEL_PROBLEMS } from './embed-query.ts';
import { problemResponses } from './problems.ts';
import type { SideReads } from './reads/side-reads.ts';
import type { SearchSampler } from './sampling/sampler.ts';
import { withinTime } from './search-limit.ts';
import { SEARCH_SECONDS } from './search-together.ts';
import { INDEX_OR_ALIAS, onResolved } from './with-index.ts';
import { searchAfter, type WriteTokens } from './write-token.ts';

const MAX_KEY_CHARS = 200;

export const searchHeaders = z.object({
  [CANARY_HEADER]: z
    .string()
    .max(MAX_KEY_CHARS)
    .optional()
    .describe(
      `While a share of the searches is answered by another index (\`canary\` of a reindex): \`${CANARY_SIDES.other}\` asks for that index and \`${CANARY_SIDES.serving}\` for the serving one. Of any other text, such as the id of a user, the hash decides, so that all searches with it are answered by the same index. Without it, chance decides.`,
    )
    .meta({ examples: ['user-17'] }),
});

const search = createRoute({
  method: 'post',
  path: '/{index}/search',
  middleware: jsonBody({ vectors: ['vector'] }),
  operationId: 'search',
  tags: ['search'],
  summary: 'Find the objects nearest to a text, a vector or another object',
  description:
    "A text is embedded with the index's own model. `filter` keeps objects whose metadata passes it. Where the HNSW index finds fewer objects than `limit`, or where those that pass are rare near the text, all parts that pass are compared, so that there are fewer hits only where fewer objects pass the filter; `complete` is false when the time ended before. Pages (`offset`) of an index that changes may repeat or miss hits, and those of an alias with a canary need its header, so that one index answers all.",
  request: {
    params: z.object({ index: INDEX_OR_ALIAS }),
    headers: searchHeaders,
    body: { required: true, content: { 'application/json': { schema: searchSchema } } },
  },
  responses: {
    200: {
      description: 'The nearest objects, best first, and the index that answered.',
      content: { 'application/json': { schema: searchResultSchema } },
    },
    ...problemResponses(
      'InvalidInput',
      'IndexNotFound',
      'ObjectNotFound',
      'IndexDeleting',
      ...MODEL_PROBLEMS,
      'TaskNotFound',
      'WriteFailed',
      'SearchTimeout',
      'TemporalUnavailable',
      'DatabaseUnavailable',
    ),
  },
});

export interface SearchDependencies extends WriteTokens {
  reads: SideReads;
  sampler: SearchSampler;
  /** Time limit of a search whose caller sets none; default: 10 seconds. */
  searchSeconds?: number | undefined;
}

export function createSearchRouter(dependencies: SearchDependencies) {
  const { db, reads, sampler, searchSeconds = SEARCH_SECONDS } = dependencies;
  return createRouter().openapi(search, async (c) => {
    const request = c.req.valid('json');
    const name = c.req.valid('param').index;
    const header = c.req.valid('header')[CANARY_HEADER];
    const key = request.after === undefined ? header : CANARY_SIDES.serving;
    await roomForAnswer(c.req.raw.signal);
    const time = { seconds: request.timeoutSeconds ?? searchSeconds, signal: c.req.raw.signal };
    const { result, sampled } = await withinTime(time, async (limit) => {
      await searchAfter(dependencies, name, request.after, limit);
      return onResolved(
        () => resolveWithReads(db, name),
        async (found) => ({ result: await reads.search(found, request, { key, limit }), sampled: found.sampled }),
      );
    });
    sampler.offer(sampled, { alias: name, request, result });
    return (await sendCounted(c, result)) as never;
  });
}
