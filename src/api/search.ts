import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { searchBody, searchResultBody } from '../contract/bodies.ts';
import type { Embedder } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import type { ModelConfig } from '../contract/models.ts';
import type { Search } from '../contract/objects.ts';
import { FLOAT32_MAX, squaredLength, type Vector } from '../contract/vectors.ts';
import { codeOf, type Db } from '../store/database.ts';
import type { IndexRow } from '../store/schema.ts';
import { searchParts } from '../store/search.ts';
import { jsonBody } from './body/json.ts';
import { INDEX_OR_ALIAS, onIndex } from './on-index.ts';
import { problemResponses } from './problems.ts';
import { createRouter } from './router.ts';

const search = createRoute({
  method: 'post',
  path: '/{index}/search',
  middleware: jsonBody({ approximate: 'vector' }),
  operationId: 'search',
  tags: ['search'],
  summary: 'Find the objects nearest to a text or a vector',
  description:
    "A text is embedded with the index's own model. `filter` keeps objects whose metadata contains it (Postgres `@>`).",
  request: {
    params: z.object({ index: INDEX_OR_ALIAS }),
    body: { required: true, content: { 'application/json': { schema: searchBody } } },
  },
  responses: {
    200: {
      description: 'The nearest objects, best first, and the index that answered.',
      content: { 'application/json': { schema: searchResultBody } },
    },
    ...problemResponses(
      'InvalidInput',
      'IndexNotFound',
      'IndexDeleting',
      'ModelRejectedInput',
      'ModelUnauthorized',
      'ModelRefused',
      'ModelNotFound',
      'ModelQuotaUsedUp',
      'ModelBadAnswer',
      'ModelWrongDimension',
      'ModelUnavailable',
      'ModelRateLimited',
      'DatabaseUnavailable',
    ),
  },
});

export interface SearchDependencies {
  db: Db;
  models: { embedder(config: ModelConfig): Embedder };
}

export function createSearchRouter({ db, models }: SearchDependencies) {
  return createRouter().openapi(search, async (c) => {
    const request = c.req.valid('json');
    const { signal } = c.req.raw;
    const result = await onIndex(db, c.req.valid('param').index, async (index) => {
      const vector = request.vector ?? (await embedQuery(models, index, request.text ?? '', signal));
      return { index: index.name, hits: await findNearest(db, index, vector, request) };
    });
    return c.json(result, 200);
  });
}

/** Whoever searches is told to come back rather than kept waiting for the limits of the model. */
const MODEL_WAIT_MS = 2_000;

async function embedQuery(
  models: SearchDependencies['models'],
  index: IndexRow,
  text: string,
  signal: AbortSignal,
): Promise<Vector> {
  const [vector] = await models
    .embedder(index.model)
    .embed([text], { purpose: 'query', signal, maxWaitMs: MODEL_WAIT_MS });
  if (vector?.length !== index.model.dimensions) {
    const got = `${vector?.length ?? 0} dimensions, ${index.name} has ${index.model.dimensions}`;
    throw new ReembedError('ModelWrongDimension', `the model answers with ${got}`);
  }
  return vector;
}

const OUT_OF_RANGE = '22003';

async function findNearest(db: Db, index: IndexRow, vector: Vector, { limit, filter }: Search) {
  const squared = squaredLength(vector);
  // Beyond these, distances are infinite or NaN: every object would be as near as any other.
  if (squared > FLOAT32_MAX) throw badVector('has too large numbers');
  if (index.metric === 'cosine' && Math.fround(squared) === 0) throw badVector('is zero: it has no cosine similarity');
  try {
    return await searchParts(db, index, { vector, limit, filter });
  } catch (error) {
    // Half precision ends at 65,504.
    if (codeOf(error) === OUT_OF_RANGE) throw badVector(`has numbers too large for the index ${index.name}`);
    throw error;
  }
}

function badVector(problem: string): ReembedError {
  return new ReembedError('InvalidInput', `the vector ${problem}`, { issues: [{ path: 'vector', message: problem }] });
}
