import { setTimeout as delay } from 'node:timers/promises';
import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import type { Embedder } from '../contract/embedder.ts';
import { invalidField, ReembedError } from '../contract/errors.ts';
import type { ModelConfig } from '../contract/models.ts';
import { type Search, searchResultSchema, searchSchema } from '../contract/objects.ts';
import { FLOAT32_MAX, squaredLength, type Vector } from '../contract/vectors.ts';
import type { Db } from '../store/database.ts';
import type { IndexRow } from '../store/schema.ts';
import { type Found, searchObjects, searchTimeout } from '../store/search.ts';
import { codeOf, SQLSTATE } from '../store/sqlstate.ts';
import { jsonBody } from './body/json.ts';
import { roomForAnswer, sendCounted } from './body/memory.ts';
import { createRouter } from './create-router.ts';
import { problemResponses } from './problems.ts';
import { INDEX_OR_ALIAS, onIndex } from './with-index.ts';

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
  /** Time limit of a search whose caller sets none; default: 10 seconds. */
  searchSeconds?: number | undefined;
}

const SEARCH_SECONDS = 10;

export function createSearchRouter({ db, models, searchSeconds = SEARCH_SECONDS }: SearchDependencies) {
  return createRouter().openapi(search, async (c) => {
    const request = c.req.valid('json');
    const name = c.req.valid('param').index;
    await roomForAnswer(c.req.raw.signal);
    const time = { seconds: request.timeoutSeconds ?? searchSeconds, signal: c.req.raw.signal };
    const result = await withinTime(time, (limit) =>
      onIndex(db, name, async (index) => {
        const vector = request.vector ?? (await limit.model((signal) => embedQuery(models, index, request, signal)));
        if (vector === null)
          return { index: index.name, hits: [], exact: true, complete: true, reason: NO_KNOWN_WORDS };
        return { index: index.name, ...(await findNearest(db, index, vector, request, limit.untilMs)) };
      }),
    );
    return (await sendCounted(c, result)) as never;
  });
}

const NO_KNOWN_WORDS = 'no-known-words' as const;

interface SearchLimit {
  /** Deadline of the search, as in `Date.now()`. */
  untilMs: number;
  /** Runs the call of the model; a timeout while it runs is attributed to the model. */
  model<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** Runs a search with a time limit. Error: `SearchTimeout` naming what it waited for, even if that does not stop. */
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
    running.catch(() => {}); // the rest of it ends by itself
  }
}

/** Delay before the model is called a second time. */
const GLITCH_MS = 200;
/** Max wait for the rate limits of the model; after it the caller is asked to retry later. */
const MODEL_WAIT_MS = 2_000;

/** Embeds the text; returns null if the model knows none of its words. */
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
  // The caller sent a text and is not responsible for its vector.
  const problem = problemOf(vector, index);
  if (problem) throw badAnswer(problem);
  return vector;
}

function badAnswer(problem: string): ReembedError {
  return new ReembedError('ModelBadAnswer', `the vector that the model gave ${problem}`);
}

/** Most of these errors are gone at a second call; a model that was too slow is not called again. */
function isGlitch(error: unknown): boolean {
  if (!(error instanceof ReembedError) || error.reason === 'timeout') return false;
  return error.type === 'ModelUnavailable' || error.type === 'ModelBadAnswer';
}

/** Returns why distances from a vector are meaningless. */
function problemOf(vector: Vector, { metric }: IndexRow): string | undefined {
  const squared = squaredLength(vector);
  // Beyond these, distances are infinite or NaN: every object would be as near as any other.
  if (squared > FLOAT32_MAX) return 'has too large numbers';
  if (metric === 'cosine' && Math.fround(squared) === 0) return 'is zero: it has no cosine similarity';
  return undefined;
}

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
    if (codeOf(error) !== SQLSTATE.numberOutOfRange) throw error;
    const what = `has numbers too large for the index ${index.name}`;
    throw given ? badVector(what) : badAnswer(what);
  }
}

function badVector(problem: string): ReembedError {
  return invalidField('vector', problem, `the vector ${problem}`);
}
