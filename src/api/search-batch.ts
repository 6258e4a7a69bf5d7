import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { CANARY_HEADER } from '../contract/read-shares.ts';
import { searchBatchResultSchema, searchBatchSchema } from '../contract/search-many.ts';
import { requireActive, resolveIndex } from '../store/indexes.ts';
import { jsonBody } from './body/json.ts';
import { roomForAnswer, sendCounted } from './body/memory.ts';
import { createRouter } from './create-router.ts';
import { problemResponses } from './problems.ts';
import { searchHeaders } from './search.ts';
import { type SearchTogether, searchTogether } from './search-together.ts';
import { INDEX_OR_ALIAS } from './with-index.ts';

const searchBatch = createRoute({
  method: 'post',
  path: '/{index}/search/batch',
  middleware: jsonBody(),
  operationId: 'searchBatch',
  tags: ['search'],
  summary: 'Run several searches of one index',
  description:
    'Embeds the texts of all searches together, in one call of the model if they fit into one. A search that fails does not affect the others. During a canary, all searches of a batch without the header are answered by the same index.',
  request: {
    params: z.object({ index: INDEX_OR_ALIAS }),
    headers: searchHeaders,
    body: { required: true, content: { 'application/json': { schema: searchBatchSchema } } },
  },
  responses: {
    200: {
      description: 'A result or a problem for each search, in their order.',
      content: { 'application/json': { schema: searchBatchResultSchema } },
    },
    ...problemResponses('InvalidInput', 'IndexNotFound', 'IndexDeleting', 'DatabaseUnavailable'),
  },
});

export function createSearchBatchRouter(dependencies: SearchTogether) {
  return createRouter().openapi(searchBatch, async (c) => {
    const name = c.req.valid('param').index;
    const key = c.req.valid('header')[CANARY_HEADER];
    const { signal } = c.req.raw;
    await roomForAnswer(signal);
    // One answer for a name that no search could use.
    requireActive(await resolveIndex(dependencies.db, name));
    const searches = c.req.valid('json').searches.map((request) => ({ name, request }));
    const outcomes = await searchTogether(dependencies, searches, { key, signal });
    const results = outcomes.map((outcome) => ('result' in outcome ? outcome.result : outcome));
    return (await sendCounted(c, { results })) as never;
  });
}
