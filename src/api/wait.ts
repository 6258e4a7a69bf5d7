import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { numberQuery } from '../contract/http.ts';
import { LIMITS } from '../contract/limits.ts';
import { writeStateSchema, writeTokenSchema } from '../contract/write-token.ts';
import { createRouter } from './create-router.ts';
import { problemResponses } from './problems.ts';
import { INDEX_OR_ALIAS } from './with-index.ts';
import { awaitWrite, type WriteTokens } from './write-token.ts';

const DEFAULT_SECONDS = 30;

const wait = createRoute({
  method: 'get',
  path: '/{index}/wait',
  operationId: 'awaitWrite',
  tags: ['search'],
  summary: 'Wait until a write is searchable',
  description:
    'Answers as soon as searches in the index that serves find the write, or it has ended otherwise, or the time is out: see `searchable` and `ended`. To search in the same call, give the token as `after` to a search.',
  request: {
    params: z.object({ index: INDEX_OR_ALIAS }),
    query: z.strictObject({
      token: writeTokenSchema,
      timeout: numberQuery(z.number().min(0).max(LIMITS.searchSeconds))
        .default(DEFAULT_SECONDS)
        .describe('Seconds to wait at most.')
        .meta({
          type: 'number',
          minimum: 0,
          maximum: LIMITS.searchSeconds,
          default: DEFAULT_SECONDS,
          pattern: undefined,
          examples: [10],
        }),
    }),
  },
  responses: {
    200: {
      description: 'Whether the write is searchable, and why not.',
      content: { 'application/json': { schema: writeStateSchema } },
    },
    ...problemResponses('InvalidInput', 'IndexNotFound', 'TaskNotFound', 'DatabaseUnavailable', 'TemporalUnavailable'),
  },
});

export function createWaitRouter(tokens: WriteTokens) {
  return createRouter().openapi(wait, async (c) => {
    const { token, timeout } = c.req.valid('query');
    const { signal } = c.req.raw;
    return c.json(
      await awaitWrite(tokens, c.req.valid('param').index, token, { timeoutMs: timeout * 1_000, signal }),
      200,
    );
  });
}
