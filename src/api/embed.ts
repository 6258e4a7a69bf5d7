import { createRoute } from '@hono/zod-openapi';
import { type EmbedRequest, type EmbedResult, embedResultSchema, embedSchema } from '../contract/embed.ts';
import { invalidField, ReembedError } from '../contract/errors.ts';
import { LIMITS } from '../contract/limits.ts';
import type { Vector } from '../contract/vectors.ts';
import type { Db } from '../store/database.ts';
import type { IndexRow } from '../store/schema.ts';
import { jsonBody } from './body/json.ts';
import { roomForAnswer, sendCounted } from './body/memory.ts';
import { createRouter } from './create-router.ts';
import { embedQuery, MODEL_PROBLEMS, type SearchModels } from './embed-query.ts';
import { embedTogether } from './embed-together.ts';
import { namedBy } from './places/pass-on.ts';
import { problemResponses } from './problems.ts';
import { type SearchLimit, withinTime } from './search-limit.ts';
import { SEARCH_SECONDS } from './search-together.ts';
import { onIndex } from './with-index.ts';

const embed = createRoute({
  method: 'post',
  path: '/',
  middleware: jsonBody({ placedBy: ({ index }) => ({ named: namedBy('index', { index }) }) }),
  operationId: 'embed',
  tags: ['search'],
  summary: 'Embed texts with the model of an index',
  description:
    'Returns the vectors that a search (`query`) or an object (`document`) with these texts would have, within the same limits of the model as searches. For your own SQL: compare them with the `embedding` of a view. If a text cannot be embedded, no vector is returned.',
  request: { body: { required: true, content: { 'application/json': { schema: embedSchema } } } },
  responses: {
    200: {
      description: 'A vector for each text, in their order, and the index whose model made them.',
      content: { 'application/json': { schema: embedResultSchema } },
    },
    ...problemResponses(
      'InvalidInput',
      'IndexNotFound',
      'IndexDeleting',
      ...MODEL_PROBLEMS,
      'SearchTimeout',
      'DatabaseUnavailable',
    ),
  },
});

export interface EmbedDependencies {
  db: Db;
  models: SearchModels;
  /** Time limit of a call that sets none; default: 10 seconds. */
  searchSeconds?: number | undefined;
}

export function createEmbedRouter({ db, models, searchSeconds = SEARCH_SECONDS }: EmbedDependencies) {
  return createRouter().openapi(embed, async (c) => {
    const request = c.req.valid('json');
    const { signal } = c.req.raw;
    await roomForAnswer(signal);
    const result = await withinTime({ seconds: request.timeoutSeconds ?? searchSeconds, signal }, (limit) =>
      onIndex(db, request.index, (index) => embedTexts(models, index, request, limit)),
    );
    return (await sendCounted(c, result)) as never;
  });
}

/** Embeds all texts or none. Errors: `InvalidInput` for more numbers than allowed, and those of the model. */
async function embedTexts(
  models: SearchModels,
  index: IndexRow,
  { texts, purpose }: EmbedRequest,
  limit: SearchLimit,
): Promise<EmbedResult> {
  const { provider, name, dimensions } = index.model;
  const max = Math.floor(LIMITS.numbersPerEmbed / dimensions);
  if (texts.length > max) {
    throw invalidField('texts', `must be at most ${max} for vectors of ${dimensions} dimensions, not ${texts.length}`);
  }
  const vectors = await limit.model(async (signal) => {
    const together = embedTogether(models, texts, signal, purpose);
    const found: (Vector | null)[] = [];
    for (const [at, text] of texts.entries()) {
      found.push(await embedQuery(together, index, { text }, signal, purpose).catch((error) => refuseText(error, at)));
    }
    return found;
  });
  return {
    index: index.name,
    model: { provider, name, dimensions },
    vectors: vectors.map((vector) => vector && Array.from(vector)),
  };
}

/** Says which text the model does not take. */
function refuseText(error: unknown, at: number): never {
  if (!(error instanceof ReembedError) || error.type !== 'ModelRejectedInput') throw error;
  const path = `texts.${at}`;
  throw new ReembedError(error.type, `${path}: ${error.message}`, {
    cause: error,
    issues: [{ path, message: error.message }],
  });
}
