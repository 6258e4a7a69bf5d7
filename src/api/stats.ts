import { createRoute } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { invalidField } from '../contract/errors.ts';
import { countQuery } from '../contract/http.ts';
import { nameSchema } from '../contract/indexes.ts';
import { type Bucket, MAX_BUCKETS, serverInfoSchema, statsSchema } from '../contract/stats.ts';
import { momentSchema } from '../contract/task-bodies.ts';
import { taskTypeSchema } from '../contract/task-types.ts';
import { SharedReads } from '../cpu/shared-reads.ts';
import { taskStats } from '../temporal/index.ts';
import { version } from '../version.ts';
import { createRouter } from './create-router.ts';
import { problemResponses } from './problems.ts';

const HOUR_MS = 3_600_000;
/** Shorter intervals would show only noise. */
const MIN_MS = 1_000;

const stats = createRoute({
  method: 'get',
  path: '/stats',
  operationId: 'taskStats',
  tags: ['operation'],
  summary: 'Tasks over time: created, ended and open',
  description: 'Counted in Temporal for each stretch of time; tasks that its retention has removed are not counted.',
  request: {
    query: z.strictObject({
      from: momentSchema.optional().describe('Default: the hour before `until`.'),
      until: momentSchema.optional().describe('Default: now.'),
      buckets: countQuery(MAX_BUCKETS, 30).describe('Stretches of the same length, of a second at least.'),
      type: taskTypeSchema
        .optional()
        .describe('Only tasks of this type. Default: all but `reindex-slice`.')
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
  /** Address of Temporal's web UI. */
  temporalUi: string | null;
}

/** Serves tasks over time, and facts about the server that the dashboard needs. */
export function createStatsRouter({ client, temporalUi }: StatsDependencies) {
  const shared = new SharedReads<Bucket[]>();
  return createRouter()
    .openapi(stats, async (c) => {
      const { from, until, buckets, type, index } = c.req.valid('query');
      const end = until === undefined ? new Date() : new Date(until);
      const start = from === undefined ? new Date(end.getTime() - HOUR_MS) : new Date(from);
      if (end.getTime() - start.getTime() < buckets * MIN_MS) {
        const message = `must be before \`until\`, by ${buckets} seconds at least for ${buckets} buckets`;
        throw invalidField('query.from', message, `from ${message}`);
      }
      const range = { from: start, until: end, buckets, types: type && [type], index };
      const key = JSON.stringify([from, until, buckets, type, index]);
      return c.json({ buckets: await shared.read(key, () => taskStats(client, range)) }, 200);
    })
    .openapi(server, (c) =>
      c.json({ version, temporal: { namespace: client.options.namespace, uiUrl: temporalUi } }, 200),
    );
}
