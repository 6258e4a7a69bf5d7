import { createRoute } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { taskStats } from '../client/temporal/index.ts';
import { countQuery } from '../contract/bodies.ts';
import { ReembedError } from '../contract/errors.ts';
import { nameSchema } from '../contract/indexes.ts';
import { MOST_BUCKETS, serverInfoSchema, statsSchema } from '../contract/stats.ts';
import { momentSchema, taskTypeSchema } from '../contract/tasks.ts';
import { version } from '../version.ts';
import { problemResponses } from './problems.ts';
import { createRouter } from './router.ts';

const HOUR_MS = 3_600_000;
/** Shorter stretches would show no more than chance. */
const SHORTEST_MS = 1_000;

const stats = createRoute({
  method: 'get',
  path: '/stats',
  operationId: 'taskStats',
  tags: ['operation'],
  summary: 'Tasks over time: created, ended and open',
  description: 'Counted in Temporal for each stretch of time; tasks that its retention has removed are not counted.',
  request: {
    query: z.strictObject({
      from: momentSchema.optional().describe('The hour before `until` if not given.'),
      until: momentSchema.optional().describe('Now if not given.'),
      buckets: countQuery(MOST_BUCKETS, 30).describe('Stretches of the same length, of a second at least.'),
      type: taskTypeSchema
        .optional()
        .describe('Only tasks of this type; all but `reindex-slice` if not given.')
        .meta({
          examples: ['upsert'],
        }),
      index: nameSchema.optional().describe('Only tasks on this index, or on the alias they were given.'),
    }),
  },
  responses: {
    200: { description: 'The stretches, oldest first.', content: { 'application/json': { schema: statsSchema } } },
    ...problemResponses('InvalidInput', 'TemporalUnavailable'),
  },
});

const server = createRoute({
  method: 'get',
  path: '/server',
  operationId: 'serverInfo',
  tags: ['operation'],
  summary: 'Which version this is, and where its Temporal is',
  responses: { 200: { description: 'It.', content: { 'application/json': { schema: serverInfoSchema } } } },
});

export interface StatsDependencies {
  client: Client;
  /** Of Temporal's web UI. */
  temporalUi: string | null;
}

/** Tasks over time, and what a page for people needs to know of the server. */
export function createStatsRouter({ client, temporalUi }: StatsDependencies) {
  return createRouter()
    .openapi(stats, async (c) => {
      const { from, until, buckets, type, index } = c.req.valid('query');
      const end = until === undefined ? new Date() : new Date(until);
      const start = from === undefined ? new Date(end.getTime() - HOUR_MS) : new Date(from);
      if (end.getTime() - start.getTime() < buckets * SHORTEST_MS) {
        const message = `must be before \`until\`, by ${buckets} seconds at least for ${buckets} buckets`;
        throw new ReembedError('InvalidInput', `from ${message}`, { issues: [{ path: 'query.from', message }] });
      }
      const range = { from: start, until: end, buckets, types: type && [type], index };
      return c.json({ buckets: await taskStats(client, range) }, 200);
    })
    .openapi(server, (c) =>
      c.json({ version, temporal: { namespace: client.options.namespace, uiUrl: temporalUi } }, 200),
    );
}
