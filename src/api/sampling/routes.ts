import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { countQuery } from '../../contract/http.ts';
import { nameSchema } from '../../contract/indexes.ts';
import { querySetInfoSchema } from '../../contract/query-sets.ts';
import {
  sampledSearchPageSchema,
  sampledSetSchema,
  samplingInputSchema,
  samplingSchema,
} from '../../contract/sampling.ts';
import { jsonBody } from '../body/json.ts';
import { namedBy } from '../places/pass-on.ts';
import { problemResponses } from '../problems.ts';
import { cursorQuery } from '../tasks/schemas.ts';

const params = z.object({ alias: nameSchema.meta({ description: 'Name of the alias.', examples: ['docs'] }) });
const setParams = z.object({
  querySet: nameSchema.meta({ description: 'Name of the query set.', examples: ['support-questions'] }),
});

const described = { 'application/json': { schema: samplingSchema } };

export const putSampling = createRoute({
  method: 'put',
  path: '/{alias}/sampling',
  middleware: jsonBody(),
  operationId: 'setSampling',
  tags: ['aliases'],
  summary: 'Keep a share of the searches by an alias',
  description:
    'Keeps the text, time and limit of a search by text, the ids of its hits, and whether it had a filter, for query ' +
    'sets made from them. Off by default. Searches are stored after their answers; the newest 10,000 are kept.',
  request: { params, body: { required: true, content: { 'application/json': { schema: samplingInputSchema } } } },
  responses: {
    200: { description: 'The share is set.', content: described },
    ...problemResponses('InvalidInput', 'AliasNotFound', 'DatabaseUnavailable'),
  },
});

export const getSampling = createRoute({
  method: 'get',
  path: '/{alias}/sampling',
  operationId: 'getSampling',
  tags: ['aliases'],
  summary: 'Which share of the searches by an alias is kept, and how many there are',
  request: { params },
  responses: {
    200: { description: 'The sampling, without texts.', content: described },
    ...problemResponses('InvalidInput', 'AliasNotFound', 'DatabaseUnavailable'),
  },
});

export const removeSampling = createRoute({
  method: 'delete',
  path: '/{alias}/sampling',
  operationId: 'endSampling',
  tags: ['aliases'],
  summary: 'Keep no further searches by an alias, and delete those that are kept',
  request: { params },
  responses: {
    204: { description: 'No searches are kept.' },
    ...problemResponses('InvalidInput', 'AliasNotFound', 'DatabaseUnavailable'),
  },
});

export const getSearches = createRoute({
  method: 'get',
  path: '/{alias}/sampled-searches',
  operationId: 'listSampledSearches',
  tags: ['aliases'],
  summary: 'The sampled searches of an alias, newest first',
  request: {
    params,
    query: z.strictObject({ cursor: cursorQuery, limit: countQuery().describe('Maximum searches of a page.') }),
  },
  responses: {
    200: { description: 'One page.', content: { 'application/json': { schema: sampledSearchPageSchema } } },
    ...problemResponses('InvalidInput', 'AliasNotFound', 'DatabaseUnavailable'),
  },
});

const setDescribed = { 'application/json': { schema: querySetInfoSchema } };

export const putSampledSet = createRoute({
  method: 'put',
  path: '/{querySet}/sampled',
  middleware: jsonBody({
    placedBy: ({ alias }, c) => ({
      named: [...namedBy('query-set', { querySet: c.req.param('querySet') }), ...namedBy('index', { alias })],
    }),
  }),
  operationId: 'sampleQuerySet',
  tags: ['query sets'],
  summary: 'Create a query set from the sampled searches of an alias, or replace its queries by them',
  description:
    'Each different text is one query, without judgments: the most recent ones or, with a seed, random ones. The set ' +
    'does not expire, and is read with the role of all sets.',
  request: {
    params: setParams,
    body: { required: true, content: { 'application/json': { schema: sampledSetSchema } } },
  },
  responses: {
    200: { description: 'The queries of the set are replaced.', content: setDescribed },
    201: { description: 'Created.', content: setDescribed },
    ...problemResponses('InvalidInput', 'AliasNotFound', 'NameTaken', 'DatabaseUnavailable'),
  },
});
