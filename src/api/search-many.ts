import { createRoute } from '@hono/zod-openapi';
import type { SearchResult } from '../contract/objects.ts';
import { CANARY_HEADER } from '../contract/read-shares.ts';
import { type SearchManyResult, searchManyResultSchema, searchManySchema } from '../contract/search-many.ts';
import { jsonBody } from './body/json.ts';
import { roomForAnswer, sendCounted } from './body/memory.ts';
import { createRouter } from './create-router.ts';
import type { Places } from './places/places.ts';
import { problemResponses } from './problems.ts';
import { searchHeaders } from './search.ts';
import { type Outcome, type SearchTogether, searchTogether } from './search-together.ts';

const searchMany = createRoute({
  method: 'post',
  path: '/',
  middleware: jsonBody(),
  operationId: 'searchMany',
  tags: ['search'],
  summary: 'Search several indexes at once',
  description:
    'Searches each index or alias with its own model and merges the hits by reciprocal rank. An index that cannot be searched is listed with its problem, and `complete` is false, also if none could be searched. Objects with the same id in two indexes are two hits; two names of one index are searched as one.',
  request: {
    headers: searchHeaders,
    body: { required: true, content: { 'application/json': { schema: searchManySchema } } },
  },
  responses: {
    200: {
      description: 'The merged hits, and how each index was searched.',
      content: { 'application/json': { schema: searchManyResultSchema } },
    },
    ...problemResponses('InvalidInput'),
  },
});

export function createSearchManyRouter(dependencies: SearchTogether, places: Places) {
  return createRouter().openapi(searchMany, async (c) => {
    const { indexes, ...request } = c.req.valid('json');
    const { signal } = c.req.raw;
    await roomForAnswer(signal);
    const searches = indexes.map((name) => ({ name, request }));
    const outcomes = await searchTogether(dependencies, searches, {
      tokensOf: async (name) => (await places.agree([{ kind: 'index', name, field: 'indexes' }])).searching,
      key: c.req.valid('header')[CANARY_HEADER],
      signal,
    });
    return (await sendCounted(c, mergeByRank(indexes, outcomes, request.limit))) as never;
  });
}

type RankedHit = SearchManyResult['hits'][number];

/**
 * Merges the hits of several indexes by reciprocal rank. No object is in two indexes, so that a hit has one rank: the
 * order is that of the ranks and, for equal ones, of the indexes.
 */
export function mergeByRank(names: readonly string[], outcomes: readonly Outcome[], limit: number): SearchManyResult {
  const results = new Map<string, SearchResult>();
  const indexes = names.map((name, at): SearchManyResult['indexes'][number] => {
    const outcome = outcomes[at] as Outcome;
    if ('problem' in outcome) return { name, problem: outcome.problem };
    const { hits: _hits, ...how } = outcome.result;
    if (!results.has(how.index)) results.set(how.index, outcome.result);
    return { name, ...how };
  });
  const ranked = [...results.values()].flatMap(({ index, hits }) =>
    hits.map((hit, place): RankedHit => ({ index, rank: place + 1, ...hit })),
  );
  const hits = ranked.sort((left, right) => left.rank - right.rank).slice(0, limit);
  return { hits, indexes, complete: indexes.every((index) => 'complete' in index && index.complete) };
}
