import { setTimeout as delay } from 'node:timers/promises';
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
import { type Found, searchObjects, searchTimeout } from '../store/search.ts';
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
    "A text is embedded with the index's own model. `filter` keeps objects whose metadata contains it (Postgres `@>`). Where the HNSW index finds fewer objects than `limit`, all parts are compared, so that there are fewer hits only where fewer objects pass the filter; `complete` is false when the time ended before.",
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
      'SearchTimeout',
      'DatabaseUnavailable',
    ),
  },
});

export interface SearchDependencies {
  db: Db;
  models: { embedder(config: ModelConfig): Embedder };
  /** Time for a search whose caller names none; 10 seconds if not given. */
  searchSeconds?: number | undefined;
}

const SEARCH_SECONDS = 10;

export function createSearchRouter({ db, models, searchSeconds = SEARCH_SECONDS }: SearchDependencies) {
  return createRouter().openapi(search, async (c) => {
    const request = c.req.valid('json');
    const name = c.req.valid('param').index;
    const time = { seconds: request.timeoutSeconds ?? searchSeconds, signal: c.req.raw.signal };
    const result = await withinTime(time, (limit) =>
      onIndex(db, name, async (index) => {
        const vector = request.vector ?? (await limit.model((signal) => embedQuery(models, index, request, signal)));
        if (vector === null)
          return { index: index.name, hits: [], exact: true, complete: true, reason: NO_KNOWN_WORDS };
        return { index: index.name, ...(await findNearest(db, index, vector, request, limit.untilMs)) };
      }),
    );
    return c.json(result, 200);
  });
}

const NO_KNOWN_WORDS = 'no-known-words' as const;

interface SearchLimit {
  /** When the search must have ended, as `Date.now()` counts. */
  untilMs: number;
  /** Runs the call of the model, which is to blame while it runs. */
  model<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** Runs a search for so long; then throws `SearchTimeout` with what it was waiting for, whether that stops or not. */
async function withinTime<T>(
  { seconds, signal }: { seconds: number; signal: AbortSignal },
  search: (limit: SearchLimit) => Promise<T>,
): Promise<T> {
  const time = new AbortController();
  let waitsFor: 'model' | 'database' = 'database';
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(searchTimeout(waitsFor));
      time.abort();
    }, seconds * 1_000);
  });
  const running = search({
    untilMs: Date.now() + seconds * 1_000,
    async model(call) {
      waitsFor = 'model';
      const answer = await call(AbortSignal.any([signal, time.signal]));
      waitsFor = 'database';
      return answer;
    },
  });
  try {
    return await Promise.race([running, timeUp]);
  } finally {
    clearTimeout(timer);
    running.catch(() => {}); // what is left of it ends by itself
  }
}

/** Before the model is asked once more. */
const GLITCH_MS = 200;
/** Whoever searches is told to come back rather than kept waiting for the limits of the model. */
const MODEL_WAIT_MS = 2_000;

/** The vector of the text; null when the model knows no word of it. */
async function embedQuery(
  models: SearchDependencies['models'],
  index: IndexRow,
  { text = '' }: Search,
  signal: AbortSignal,
): Promise<Vector | null> {
  const embedder = models.embedder(index.model);
  if ((await embedder.knows?.([text]))?.[0] === false) return null;
  const ask = () => embedder.embed([text], { purpose: 'query', signal, maxWaitMs: MODEL_WAIT_MS });
  const [vector] = await ask().catch(async (error: unknown) => {
    if (!isGlitch(error)) throw error;
    await delay(GLITCH_MS, undefined, { signal });
    return ask();
  });
  if (vector?.length !== index.model.dimensions) {
    const got = `${vector?.length ?? 0} dimensions, ${index.name} has ${index.model.dimensions}`;
    throw new ReembedError('ModelWrongDimension', `the model answers with ${got}`);
  }
  // The caller has given a text and is not to blame for its vector.
  const problem = problemOf(vector, index);
  if (problem) throw badAnswer(problem);
  return vector;
}

function badAnswer(problem: string): ReembedError {
  return new ReembedError('ModelBadAnswer', `the vector that the model gave ${problem}`);
}

/** Most of these are gone when the model is asked once more; one that took its time is not asked again. */
function isGlitch(error: unknown): boolean {
  if (!(error instanceof ReembedError) || error.reason === 'timeout') return false;
  return error.type === 'ModelUnavailable' || error.type === 'ModelBadAnswer';
}

/** Why no distance from a vector means anything. */
function problemOf(vector: Vector, { metric }: IndexRow): string | undefined {
  const squared = squaredLength(vector);
  // Beyond these, distances are infinite or NaN: every object would be as near as any other.
  if (squared > FLOAT32_MAX) return 'has too large numbers';
  if (metric === 'cosine' && Math.fround(squared) === 0) return 'is zero: it has no cosine similarity';
  return undefined;
}

const OUT_OF_RANGE = '22003';

async function findNearest(
  db: Db,
  index: IndexRow,
  vector: Vector,
  { limit, filter, vector: given }: Search,
  untilMs: number,
): Promise<Found> {
  const problem = problemOf(vector, index);
  if (problem) throw badVector(problem);
  try {
    return await searchObjects(db, index, { vector, limit, filter, untilMs });
  } catch (error) {
    // Half precision ends at 65,504.
    if (codeOf(error) !== OUT_OF_RANGE) throw error;
    const what = `has numbers too large for the index ${index.name}`;
    throw given ? badVector(what) : badAnswer(what);
  }
}

function badVector(problem: string): ReembedError {
  return new ReembedError('InvalidInput', `the vector ${problem}`, { issues: [{ path: 'vector', message: problem }] });
}
