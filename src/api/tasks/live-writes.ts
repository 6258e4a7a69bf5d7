import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { liveWritesSchema } from '../../contract/live-writes.ts';
import { SharedReads } from '../../cpu/shared-reads.ts';
import type { Db } from '../../store/database.ts';
import { countLiveWrites } from '../../store/protocol/live-writes.ts';
import { describeTask } from '../../temporal/index.ts';
import { problemResponses } from '../problems.ts';
import { taskIdOf, taskIdQuery } from './schemas.ts';

/** Adds `GET /live-writes` to the router of all tasks. */
export function addLiveWrites(router: OpenAPIHono, { db, client }: { db: Db; client: Client }): void {
  const counts = new SharedReads<Awaited<ReturnType<typeof countLiveWrites>>>();
  router.openapi(
    createRoute({
      method: 'get',
      path: '/live-writes',
      operationId: 'getLiveWrites',
      tags: ['tasks'],
      summary: 'What users have written while a reindex runs, and how much of it the new index has',
      request: { query: taskIdQuery },
      responses: {
        200: { description: 'The counts.', content: { 'application/json': { schema: liveWritesSchema } } },
        ...problemResponses('InvalidInput', 'TaskNotFound', 'DatabaseUnavailable', 'TemporalUnavailable'),
      },
    }),
    async (c) => {
      const taskId = taskIdOf(c.req.valid('query'));
      await describeTask(client, taskId);
      // Pages that show the same reindex share the counting.
      return c.json({ taskId, ...(await counts.read(taskId, () => countLiveWrites(db, taskId))) }, 200);
    },
  );
}
